import { setImmediate } from 'node:timers/promises';
import { InvalidOptionError } from '../errors.js';
import { checkBatch } from '../graph/checks.js';
import { IntList } from '../graph/int-list.js';
import { TaskIndex } from '../graph/task-index.js';
import { bodyText } from './body-text.js';
import { RowEncoder } from './copy-row.js';
import { RowSpool, type RowSpoolOptions } from './row-spool.js';
import type { Limits, TaskInput } from './task-store.js';
import { validateTask } from './validate-task.js';

export type TaskSource = Iterable<TaskInput> | AsyncIterable<TaskInput>;

export interface ReaderOptions {
  /** Called for each task with an action; throws InvalidBodyError when the body does not fit the action's schema. */
  validateBody?: (action: string, id: string, body: unknown) => void;
  /** Where, and how much in memory, the encoded rows are kept. */
  spool?: RowSpoolOptions;
}

/** A source that never waits must not keep heartbeats waiting: others get a turn every so many tasks. */
const TASKS_PER_TURN = 500;
const COMPUTED = -1;

/** Reads tasks turn by turn, checks each by itself and encodes it as a row. */
export class BatchReader {
  readonly index = new TaskIndex();
  /** All rows read so far, their totals not yet filled in. */
  readonly spool: RowSpool;
  /** Rows with a unique key, ascending. */
  readonly keyed = new IntList();
  /** By limit key: what the last task that sets it says. */
  readonly limits = new Map<string, Limits>();
  readonly #validateBody: ReaderOptions['validateBody'];
  readonly #encoder = new RowEncoder();
  /** By row: the total given, or COMPUTED. */
  readonly #totals = new IntList();

  constructor(options: ReaderOptions = {}) {
    this.#validateBody = options.validateBody;
    this.spool = new RowSpool(options.spool);
  }

  /** The signals that a row waits for, as far as tasks were read. */
  totalOf(row: number): number {
    const given = this.#totals.at(row);
    return given === COMPUTED ? this.index.signalsOf(this.index.nodeOf(row)) : given;
  }

  /**
   * Yields whenever others are to get a turn; returns the nodes of the targets that are not in the batch, in the order of
   * their ids' bytes. Throws InvalidTaskError or InvalidBodyError at the first task that is not valid,
   * DuplicateTaskError or CycleError once all are read, InvalidOptionError, and whatever the source throws.
   */
  async *read(tasks: TaskSource): AsyncGenerator<undefined, Int32Array> {
    if (isIterable(tasks)) {
      for (const task of tasks) {
        if (!this.#add(task)) yield this.#pause();
      }
    } else if (isAsyncIterable(tasks)) {
      for await (const task of tasks) {
        if (!this.#add(task)) yield this.#pause();
      }
    } else {
      throw new InvalidOptionError('tasks', 'must be an Iterable or AsyncIterable of tasks');
    }
    return checkBatch(this.index);
  }

  async #pause(): Promise<undefined> {
    await this.spool.flush();
    await setImmediate();
  }

  /** Returns false when there must be a pause before the next. */
  #add(task: TaskInput): boolean {
    const row = this.index.numTasks;
    validateTask(task, row);
    if (task.action !== null) this.#validateBody?.(task.action, task.id, task.body ?? null);
    const body = bodyText(task.id, task.body);
    const targets = this.#addToIndex(task);
    this.#totals.push(task.totalDependencies ?? COMPUTED);
    if (task.uniqueKey !== undefined) this.keyed.push(row);
    this.#addLimits(task);
    const length = this.#encoder.encode(task, targets, body);
    const hasRoom = this.spool.append(this.#encoder.bytes, length);
    return hasRoom && (row + 1) % TASKS_PER_TURN !== 0;
  }

  /** A task that names a key but no limits leaves those that stand. */
  #addLimits({ limitKey, limit, rateLimit }: TaskInput): void {
    if (limitKey === undefined || (limit ?? rateLimit) === undefined) return;
    this.limits.set(limitKey, {
      ...(limit === undefined ? {} : { limit }),
      ...(rateLimit === undefined ? {} : { rateLimit }),
    });
  }

  /** Returns the task's targets, each once. */
  #addToIndex(task: TaskInput): readonly string[] {
    const targets = task.toSignalAfter ?? [];
    const numDistinct = this.index.add(task.id, targets);
    return numDistinct === targets.length ? targets : [...new Set(targets)];
  }
}

export function isIterable(source: TaskSource): source is Iterable<TaskInput> {
  return typeof source === 'object' && source !== null && Symbol.iterator in source;
}

function isAsyncIterable(source: TaskSource): source is AsyncIterable<TaskInput> {
  return typeof source === 'object' && source !== null && Symbol.asyncIterator in source;
}
