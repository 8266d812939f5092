import { setImmediate } from 'node:timers/promises';
import { InvalidOptionError } from '../errors.js';
import { checkBatch } from '../graph/checks.js';
import { IntList } from '../graph/int-list.js';
import { TaskIndex } from '../graph/task-index.js';
import { bodyText } from './body-text.js';
import { RowEncoder } from './copy-row.js';
import { PreparedInsert } from './prepared-insert.js';
import { RowSpool, type RowSpoolOptions } from './row-spool.js';
import type { Limits, TaskInput } from './task-store.js';
import { validateTask } from './validate-task.js';

export interface PrepareOptions {
  /** Called for each task with an action; throws InvalidBodyError when the body does not fit the action's schema. */
  validateBody?: (action: string, id: string, body: unknown) => void;
  /** Where, and how much in memory, the encoded rows are kept. */
  spool?: RowSpoolOptions;
}

type TaskSource = Iterable<TaskInput> | AsyncIterable<TaskInput>;

/** A source that never waits must not keep heartbeats waiting: others get a turn every so many tasks. */
const TASKS_PER_TURN = 2000;
const COMPUTED = -1;

/**
 * Reads, checks and encodes a batch: all of an insert that needs no database. Whoever calls it disposes of the result.
 *
 * Rejects with InvalidTaskError or InvalidBodyError at the first task that is not valid; with DuplicateTaskError or
 * CycleError once all are read; with whatever the source throws. Then nothing is left behind. Memory is constant but
 * for ids and edges: a million tasks of 25 bytes' ids and 1.6 million edges pass with a heap of 64 MB, and take
 * 260 MB of memory in all, 32 MB of it encoded rows.
 */
export async function prepareInsert(
  tasks: TaskSource,
  options: PrepareOptions = {},
): Promise<PreparedInsert> {
  const reader = new BatchReader(options);
  try {
    await reader.read(tasks);
    return reader.finish();
  } catch (error) {
    await reader.dispose();
    throw error;
  }
}

class BatchReader {
  readonly #validateBody: PrepareOptions['validateBody'];
  readonly #spool: RowSpool;
  readonly #index = new TaskIndex();
  readonly #encoder = new RowEncoder();
  /** By row: the total given, or COMPUTED. */
  readonly #totals = new IntList();
  /** Rows with a unique key, ascending. */
  readonly #keyed = new IntList();
  /** By limit key: what the last task that sets it says. */
  readonly #limits = new Map<string, Limits>();

  constructor(options: PrepareOptions) {
    this.#validateBody = options.validateBody;
    this.#spool = new RowSpool(options.spool);
  }

  async read(tasks: TaskSource): Promise<void> {
    if (isIterable(tasks)) {
      for (const task of tasks) {
        if (!this.#add(task)) await this.#pause();
      }
    } else if (isAsyncIterable(tasks)) {
      for await (const task of tasks) {
        if (!this.#add(task)) await this.#pause();
      }
    } else {
      throw new InvalidOptionError('tasks', 'must be an Iterable or AsyncIterable of tasks');
    }
  }

  async #pause(): Promise<void> {
    await this.#spool.flush();
    await setImmediate();
  }

  /** Returns false when there must be a pause before the next. */
  #add(task: TaskInput): boolean {
    const row = this.#index.numTasks;
    validateTask(task, row);
    if (task.action !== null) this.#validateBody?.(task.action, task.id, task.body ?? null);
    const body = bodyText(task.id, task.body);
    const targets = this.#addToIndex(task);
    this.#totals.push(task.totalDependencies ?? COMPUTED);
    if (task.uniqueKey !== undefined) this.#keyed.push(row);
    this.#addLimits(task);
    const length = this.#encoder.encode(task, targets, body);
    const hasRoom = this.#spool.append(this.#encoder.bytes, length);
    return hasRoom && (row + 1) % TASKS_PER_TURN !== 0;
  }

  /** A task that names a key but no limits leaves those that stand. */
  #addLimits({ limitKey, limit, rateLimit }: TaskInput): void {
    if (limitKey === undefined || (limit ?? rateLimit) === undefined) return;
    this.#limits.set(limitKey, {
      ...(limit === undefined ? {} : { limit }),
      ...(rateLimit === undefined ? {} : { rateLimit }),
    });
  }

  /** Returns the task's targets, each once. */
  #addToIndex(task: TaskInput): readonly string[] {
    const targets = task.toSignalAfter ?? [];
    const numDistinct = this.#index.add(task.id, targets);
    return numDistinct === targets.length ? targets : [...new Set(targets)];
  }

  finish(): PreparedInsert {
    const outside = checkBatch(this.#index);
    for (let row = 0; row < this.#totals.length; row++) {
      if (this.#totals.at(row) !== COMPUTED) continue;
      this.#totals.set(row, this.#index.signalsOf(this.#index.nodeOf(row)));
    }
    return new PreparedInsert({
      index: this.#index,
      spool: this.#spool,
      totals: this.#totals,
      starts: this.#starts(),
      keyed: this.#keyed,
      limits: this.#limits,
      outside,
    });
  }

  #starts(): IntList {
    const starts = new IntList();
    for (let row = 0; row < this.#totals.length; row++) {
      if (this.#totals.at(row) === 0) starts.push(row);
    }
    return starts;
  }

  async dispose(): Promise<void> {
    await this.#spool.dispose();
  }
}

function isIterable(source: TaskSource): source is Iterable<TaskInput> {
  return typeof source === 'object' && source !== null && Symbol.iterator in source;
}

function isAsyncIterable(source: TaskSource): source is AsyncIterable<TaskInput> {
  return typeof source === 'object' && source !== null && Symbol.asyncIterator in source;
}
