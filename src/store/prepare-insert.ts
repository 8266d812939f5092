import { setImmediate } from 'node:timers/promises';
import { InvalidOptionError } from '../errors.js';
import { checkBatch } from '../graph/checks.js';
import { IntList } from '../graph/int-list.js';
import { TaskIndex } from '../graph/task-index.js';
import { bodyText } from './body-text.js';
import { copyHeader, copyTrailer, RowEncoder, totalOffset } from './copy-row.js';
import { RowSpool, type RowSpoolOptions } from './row-spool.js';
import type { TaskInput } from './task-store.js';
import { validateTask } from './validate-task.js';

export interface PrepareOptions {
  /** Called for each task with an action; throws InvalidBodyError when the body does not fit the action's schema. */
  validateBody?: (action: string, id: string, body: unknown) => void;
  /** Where and how much of the encoded rows is kept. */
  spool?: RowSpoolOptions;
}

type TaskSource = Iterable<TaskInput> | AsyncIterable<TaskInput>;

/** Tasks inserted earlier that the batch lists, with how many of its tasks list each. */
export interface TargetPage {
  readonly ids: string[];
  readonly counts: number[];
}

/** A synchronous source of any length must not keep heartbeats waiting: let others run every so many rows. */
const ROWS_PER_TURN = 2000;
const COMPUTED = -1;

/**
 * Reads, checks and encodes a batch: all of an insert that needs no database.
 *
 * Rejects with InvalidTaskError or InvalidBodyError at the first task that is not valid, with DuplicateTaskError or
 * CycleError once all are read, and with whatever the source throws. Nothing is left behind then. Constant memory
 * but for ids and edges, which take some 45 bytes and the id's own a task and 4 an edge, outside the V8 heap.
 */
export async function prepareInsert(
  tasks: TaskSource,
  options: PrepareOptions = {},
): Promise<PreparedInsert> {
  const prepared = new PreparedInsert(options);
  try {
    await prepared.read(tasks);
    prepared.check();
    return prepared;
  } catch (error) {
    await prepared.dispose();
    throw error;
  }
}

/** A checked batch, ready to be written any number of times until it is disposed of. */
export class PreparedInsert {
  readonly #options: PrepareOptions;
  readonly #index = new TaskIndex();
  readonly #encoder = new RowEncoder();
  readonly #spool: RowSpool;
  /** By row: the total given, or COMPUTED until `check` has replaced that. */
  readonly #totals = new IntList();
  /** Rows with a unique key, ascending. */
  readonly #keyed = new IntList();
  /** Rows that wait for nothing or have a unique key. */
  readonly #candidates = new IntList();
  #outside = new Int32Array(0);

  constructor(options: PrepareOptions) {
    this.#options = options;
    this.#spool = new RowSpool(options.spool);
  }

  /** How many tasks the batch has. */
  get count(): number {
    return this.#index.numTasks;
  }

  /** The ids of all tasks, in the order in which they were read. */
  *ids(): Generator<string> {
    for (let row = 0; row < this.count; row++) yield this.#index.idOf(this.#index.nodeOf(row));
  }

  /** For prepareInsert. */
  async read(tasks: TaskSource): Promise<void> {
    if (isIterable(tasks)) {
      for (const task of tasks) {
        if (!this.#add(task)) await this.#spool.flush();
        if (this.count % ROWS_PER_TURN === 0) await setImmediate();
      }
    } else if (isAsyncIterable(tasks)) {
      for await (const task of tasks) {
        if (!this.#add(task)) await this.#spool.flush();
      }
    } else {
      throw new InvalidOptionError('tasks', 'must be an Iterable or AsyncIterable of tasks');
    }
  }

  /** Returns false when the spool must be flushed before the next. */
  #add(task: TaskInput): boolean {
    const row = this.count;
    validateTask(task, row);
    if (task.action !== null) this.#options.validateBody?.(task.action, task.id, task.body ?? null);
    const body = bodyText(task.id, task.body);
    const targets = this.#addToIndex(task);
    this.#totals.push(task.totalDependencies ?? COMPUTED);
    if (task.uniqueKey !== undefined) this.#keyed.push(row);
    const length = this.#encoder.encode(task, targets, body);
    return this.#spool.append(this.#encoder.bytes, length);
  }

  /** Returns the task's targets, each once. */
  #addToIndex(task: TaskInput): readonly string[] {
    const targets = task.toSignalAfter ?? [];
    const numDistinct = this.#index.add(task.id, targets);
    return numDistinct === targets.length ? targets : [...new Set(targets)];
  }

  /** For prepareInsert. */
  check(): void {
    this.#outside = checkBatch(this.#index);
    let nextKeyed = 0;
    for (let row = 0; row < this.count; row++) {
      const isKeyed = nextKeyed < this.#keyed.length && this.#keyed.at(nextKeyed) === row;
      if (isKeyed) nextKeyed++;
      if (this.#totals.at(row) === COMPUTED) {
        this.#totals.set(row, this.#index.signalsOf(this.#index.nodeOf(row)));
      }
      if (isKeyed || this.#totals.at(row) === 0) this.#candidates.push(row);
    }
  }

  /** Targets that are not in the batch, in the order of their ids' bytes, at most `pageSize` at a time. */
  *outsideTargets(pageSize: number): Generator<TargetPage> {
    for (let from = 0; from < this.#outside.length; from += pageSize) {
      const nodes = Array.from(this.#outside.subarray(from, from + pageSize));
      yield {
        ids: nodes.map((node) => this.#index.idOf(node)),
        counts: nodes.map((node) => this.#index.signalsOf(node)),
      };
    }
  }

  /** Ids of the tasks that wait for no signal or have a unique key, at most `pageSize` at a time. */
  *candidates(pageSize: number): Generator<string[]> {
    for (let from = 0; from < this.#candidates.length; from += pageSize) {
      const length = Math.min(pageSize, this.#candidates.length - from);
      yield Array.from({ length }, (_, i) => {
        return this.#index.idOf(this.#index.nodeOf(this.#candidates.at(from + i)));
      });
    }
  }

  /** All of a binary COPY into `copyColumns`, in chunks of about 64 kB. */
  async *copyData(): AsyncGenerator<Buffer> {
    yield copyHeader;
    yield* this.#spool.blocks((bytes, start, row) => {
      bytes.writeInt32BE(this.#totals.at(row), start + totalOffset);
    });
    yield copyTrailer;
  }

  /** Frees memory and the temporary file. Safe to call twice. */
  async dispose(): Promise<void> {
    await this.#spool.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

function isIterable(source: TaskSource): source is Iterable<TaskInput> {
  return typeof source === 'object' && source !== null && Symbol.iterator in source;
}

function isAsyncIterable(source: TaskSource): source is AsyncIterable<TaskInput> {
  return typeof source === 'object' && source !== null && Symbol.asyncIterator in source;
}
