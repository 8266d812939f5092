import type pg from 'pg';
import type { RunFilter, RunPart, RunRow } from './run-rows.js';
import type { ScheduleStore } from './schedule-store.js';
import type {
  Json,
  Limits,
  OwnedTask,
  Progress,
  StatusCode,
  Task,
  TaskInput,
  TaskOutcome,
} from './task.js';
import type { TaskStanding } from './task-standing.js';

export type * from './run-rows.js';
export type * from './task.js';
export type * from './task-standing.js';

export interface GetOptions {
  /** Also the tries that failed. Default false. */
  attempts?: boolean;
}

/** What a task was inserted with. */
export interface TaskBody {
  readonly id: string;
  readonly body: Json | null;
}

export interface SizeOptions {
  /** Leaves out tasks of which what is asked for takes more, as the database stores it. Default: none. */
  maxBytes?: number;
}

export interface OutcomeOptions extends SizeOptions {
  /** False: the results of completed tasks are left out, as null. Default true. */
  results?: boolean;
}

/** A change to a pending task; what is left out stays. */
export interface TaskUpdate {
  id: string;
  body?: Json;
  priority?: number;
  /** `null`: at once. */
  startAfter?: Date | null;
}

export interface InsertOptions {
  /** The caller's open transaction: the tasks appear when it commits. A failed insert leaves it usable. */
  tx?: pg.ClientBase;
}

export interface OwnRequest {
  actorId: string;
  actions: readonly string[];
  /** At least 1. */
  maxTasks: number;
  /** Default: the ownership never lapses. A task's own `maxDurationMs` goes before. */
  maxDurationMs?: number;
  /** Default `['default']`. */
  queues?: readonly string[];
  /** How many of them begin at once: the others are owned ahead, and lose no try if their deadline lapses before `beginTasks`. Default: all. */
  numBegun?: number;
  /** A UUID of the manager that holds slots of limited keys. Default: none; each limited task owned takes a slot. */
  holder?: string;
  /** With `holder`: at most so many slots of a key. Default: no limit. */
  maxSlots?: number;
  /** With `holder`: may own so many tasks for each slot, and perform the others once a slot is free. Default 1. */
  tasksPerSlot?: number;
  /** `'created'`: those ready for longest first, whatever their priority. Default `'priority'`. */
  pollStrategy?: PollStrategy;
}

/** Which ready tasks are owned first. */
export type PollStrategy = 'priority' | 'created';

/** What a task is returned as. */
export interface TaskReturnOutcome {
  /** `pending` asks for another try; `skipped`: it is not to be performed, and its targets get neither success nor failure. */
  statusCode: 'completed' | 'aborted' | 'skipped' | 'pending';
  status?: string | undefined;
  result?: Json | undefined;
  /** With `pending` only: come back then, and do not count this try (a snooze). */
  startAfter?: Date | undefined;
  /** With `pending` only: come back after so long, where the task has no retry policy of its own; the try counts. */
  retryDelayMs?: number | undefined;
  /** Kept with the failed try: the error in full. */
  error?: string | undefined;
  /** With `completed` only: delete the task once its signals are given, unless somebody waits for it. */
  autoDelete?: boolean | undefined;
  /** Inserted in the transaction of the return. */
  tasks?: readonly TaskInput[] | undefined;
}

export interface TaskReturn extends TaskReturnOutcome {
  id: string;
  token: string;
}

/** What became of one return. `statusCode` is `aborted` where a `pending` return had no tries left. */
export type ReturnReport =
  | { readonly id: string; readonly ok: true; readonly statusCode: StatusCode }
  | { readonly id: string; readonly ok: false; readonly error: Error };

/** One ownership: what extend and return need. */
export interface HeldTask {
  readonly id: string;
  readonly token: string;
  /** By how long to extend this one, where it differs from the others. */
  readonly maxDurationMs?: number | null;
  /** Only ask whether it is held: its deadline stays as it is. Default false. */
  readonly isAsked?: boolean;
}

export interface ProgressReport {
  readonly id: string;
  readonly token: string;
  readonly progress: Progress;
}

export interface WaitOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** Waits for the end of one task. */
export interface Waiter {
  readonly id: string;
  /** Resolves with the outcome once the task has ended; may be called many times and by many. */
  wait(): Promise<TaskOutcome>;
  /** Rejects every `wait()`, present and future, with WaitCancelledError. Does nothing to the task. */
  cancel(): void;
}

/**
 * How the database answers for one awaited task.
 *
 * - `ended`: with this outcome. Nothing more will be sent for it.
 * - `watched`: not ended; its end, or its deletion, will be notified.
 * - `busy`: its row was locked at that moment, and nothing was done. Ask again shortly.
 * - `missing`: there is no such task.
 */
export type WatchReport =
  | { readonly id: string; readonly state: 'ended'; readonly outcome: TaskOutcome }
  | { readonly id: string; readonly state: 'watched' | 'busy' | 'missing' };

/** A JSON Schema (2020-12) that the bodies of an action must fit. */
export type BodySchema = Readonly<Record<string, unknown>>;

/** All conditions must hold; one left out always does. Only `idPrefix` has an index: for the others every id that begins so is read. */
export interface TaskFilter {
  idPrefix?: string;
  actions?: readonly string[];
  queues?: readonly string[];
  statusCodes?: readonly StatusCode[];
  /** Changed at or after this time: see `Task.updatedAt`. */
  updatedSince?: Date;
  /** Not changed since this time. */
  updatedBefore?: Date;
  /** Ended before this time. */
  endedBefore?: Date;
  /** At most this many tasks. Default: no limit. */
  limit?: number;
}

/** How many tasks of one kind there are. */
export interface TaskCount {
  readonly queue: string;
  /** `null`: milestones. */
  readonly action: string | null;
  readonly statusCode: StatusCode;
  readonly count: number;
}

export interface DeleteOptions {
  /** Also tasks in progress, whose owners learn of it on extend or return. `deleteTasks`: default true; `purgeTasks`: default false. */
  force?: boolean;
}

export interface PurgeOptions extends DeleteOptions {
  signal?: AbortSignal;
  /** Told after each batch how many are deleted so far. */
  onProgress?: (numDeleted: number) => void;
}

/**
 * What `cleanTasks` deletes: whole runs, all of whose tasks ended before the age. A run is a task with all tasks whose
 * ids lie below its own as paths, `<id>/...`; what it has signalled outside must have ended before the age as well.
 */
export interface CleanOptions {
  /** Counted from the end of the run's last task. 0: at once. Default 15 minutes. */
  minAgeMs?: number;
  /** Only runs whose topmost task's id begins so. */
  idPrefix?: string;
  /** Only runs of which every task ended as one of these. Default: any. */
  statusCodes?: readonly StatusCode[];
  /** Tasks deleted in a transaction, at most 100,000; a run of more is not deleted all at once. Default 1,000. */
  batchSize?: number;
  signal?: AbortSignal;
  /** Told after each batch how many are deleted so far. */
  onProgress?: (numDeleted: number) => void;
}

/** A queue, an action, or an action in a queue. */
export interface LaneFilter {
  queue?: string;
  action?: string;
}

export interface Pause extends LaneFilter {
  readonly since: Date;
}

/** Who performs what, as `announceWorker` said. */
export interface WorkerInfo {
  /** A UUID: the manager's. */
  readonly id: string;
  readonly actorId: string;
  readonly queues: readonly string[];
  readonly actions: readonly string[];
}

export interface LiveWorker extends WorkerInfo {
  readonly startedAt: Date;
  /** Silent past that, it counts as gone. */
  readonly aliveUntil: Date;
}

export interface CancelOptions {
  /** Kept as the task's status. */
  status?: string;
  /** Also every unfinished task that would have been signalled, transitively. Default false. */
  downstream?: boolean;
}

export interface RerunOptions {
  /** Also every task downstream, transitively. Default false. */
  downstream?: boolean;
  /** Not before this time. */
  startAfter?: Date;
}

export interface SignalOptions {
  /** The signal carries a failure. Default false. */
  failed?: boolean;
  /** Becomes the result of the tasks that took the signal, with it. Default: their results stay. */
  result?: Json | undefined;
}

export interface ReadyRequest {
  actions: readonly string[];
  /** Default `['default']`. */
  queues?: readonly string[];
}

/**
 * The port that everything above the database is written against: workers, prefixes, the CLI.
 *
 * Every method rejects with a SignalboxError subclass where the caller can do something about it, and with
 * the driver's own error otherwise. No method leaves half of its effect behind.
 */
export interface TaskStore {
  /** Tasks that are inserted again and again. */
  readonly schedules: ScheduleStore;

  /** Inserts a batch, all or nothing: see docs/concepts.md. */
  insertTasks(
    tasks: Iterable<TaskInput> | AsyncIterable<TaskInput>,
    options?: InsertOptions,
  ): Promise<{ inserted: number }>;

  /** Inserts the task unless an unfinished one has its `uniqueKey`; `id` is that of the one that stands. */
  insertUnique(
    task: TaskInput & { uniqueKey: string },
    options?: InsertOptions,
  ): Promise<{ inserted: boolean; id: string }>;

  /** Owns up to `maxTasks` ready tasks: highest priority first, then in the order in which they became ready. */
  ownTasks(request: OwnRequest): Promise<OwnedTask[]>;

  /** Moves the deadline to now + `maxDurationMs`. InvalidTokenError if the task is no longer held. */
  extendTaskDeadline(id: string, token: string, maxDurationMs: number): Promise<void>;

  /** The same for many; resolves with the ids that are still held. */
  extendTaskDeadlines(held: readonly HeldTask[], maxDurationMs: number): Promise<string[]>;

  /** Says that tasks owned ahead are performed now; resolves with the ids that are still held. */
  beginTasks(held: readonly HeldTask[]): Promise<string[]>;

  /** Keeps how far held tasks are, until they are returned or lapse; resolves with the ids that are still held. */
  reportProgress(reports: readonly ProgressReport[]): Promise<string[]>;

  /** Gives a task back. InvalidTokenError if it is no longer held. */
  returnTask(id: string, token: string, outcome: TaskReturnOutcome): Promise<void>;

  /** Gives many back in one transaction; reports in the order given. One that fails does not stop the others. */
  returnTasks(returns: readonly TaskReturn[]): Promise<ReturnReport[]>;

  /** A waiter that sees every end from this moment on, or the end that has been. TaskNotFoundError. */
  newWaiter(id: string): Promise<Waiter>;

  /** Resolves when the task, or every task, has ended. WaitTimeoutError, WaitCancelledError, TaskNotFoundError. */
  waitFor(id: string, options?: WaitOptions): Promise<TaskOutcome>;
  waitFor(ids: readonly string[], options?: WaitOptions): Promise<TaskOutcome[]>;

  getTask(id: string, options?: GetOptions): Promise<Task | null>;

  /** In the order of `ids`; those that do not exist are left out. */
  getTasks(ids: readonly string[]): Promise<Task[]>;

  /** The outcomes of those that exist, in no order: lighter than `getTasks`. */
  getOutcomes(ids: readonly string[], options?: OutcomeOptions): Promise<TaskOutcome[]>;

  /** The bodies of those that exist, in no order. */
  getBodies(ids: readonly string[], options?: SizeOptions): Promise<TaskBody[]>;

  /** In the order of their ids, read page by page: constant memory. Not a snapshot. */
  listTasks(filter?: TaskFilter): AsyncIterable<Task>;

  /** How many tasks there are, by queue, action and status. Reads every task that fits. */
  countTasks(filter?: Omit<TaskFilter, 'limit'>): Promise<TaskCount[]>;

  /**
   * Runs of graphs that are not below another run, the newest first. Reads two ranges of ids for each that fits
   * `idPrefix`, however many tasks it has.
   */
  listRuns(filter?: RunFilter): Promise<RunRow[]>;

  /**
   * What a run, or whatever task has others below its id, consists of, in no order; the items of maps counted by state.
   * Reads every task below it; gives none where there is no such run.
   */
  listRunParts(id: string): Promise<RunPart[]>;

  /** What a task waits for: TaskNotFoundError. For people: it may read the whole table. */
  why(id: string): Promise<TaskStanding>;

  /** Changes pending tasks, all or none. TaskNotFoundError; TaskNotPendingError names those that have begun or ended. */
  updateTasks(updates: readonly TaskUpdate[]): Promise<void>;

  /** Gives each task one signal from outside; resolves with how many still waited for one. */
  signalTasks(ids: readonly string[], options?: SignalOptions): Promise<number>;

  /** Ends unfinished tasks as `cancelled`; resolves with how many. Their targets get a failure. */
  cancelTasks(ids: readonly string[], options?: CancelOptions): Promise<number>;

  /** Makes ended tasks pending again, tries counted anew; resolves with how many. */
  rerunTasks(ids: readonly string[], options?: RerunOptions): Promise<number>;

  /** Deletes tasks and, recursively, waiting ones left without dependencies; resolves with how many. */
  deleteTasks(ids: readonly string[], options?: DeleteOptions): Promise<number>;

  /**
   * Deletes all tasks that fit, in small batches; resolves with how many, waiting ones left without dependencies
   * included. Owned ones only with `force`. InvalidOptionError for a filter without a condition.
   */
  purgeTasks(filter: TaskFilter, options?: PurgeOptions): Promise<number>;

  /** Deletes whole runs that ended long enough ago, in small batches that block nobody; resolves with how many tasks. */
  cleanTasks(options?: CleanOptions): Promise<number>;

  /** Nobody owns tasks of these lanes until `resume`. What is in progress goes on. */
  pause(lanes: LaneFilter): Promise<void>;

  /** Takes back a pause of the same queue and action; false: there was none. */
  resume(lanes: LaneFilter): Promise<boolean>;

  listPauses(): Promise<Pause[]>;

  /** Sets the limits of a key for all its tasks, present and to come. */
  setLimits(limitKey: string, limits: Limits): Promise<void>;

  /** Says that a worker is there, for so long at least; `why` and `listWorkers` tell of it. */
  announceWorker(worker: WorkerInfo, forMs: number): Promise<void>;

  /** It is gone. */
  retireWorker(id: string): Promise<void>;

  listWorkers(): Promise<LiveWorker[]>;

  /**
   * Resolves with true when a task may have become ready in one of these lanes, with false when the time is up or the
   * signal fires: what an idle worker does instead of polling. A wake-up may be spurious; one may be lost, hence the
   * time-out. With a time-out of 0: whether there is something to own, or for the engine to do, at this moment.
   */
  waitForReady(
    request: ReadyRequest,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<boolean>;

  /** From now on, bodies for `action` must fit `schema` to be inserted through this process: InvalidBodyError. */
  registerBodySchema(action: string, schema: BodySchema): void;

  /** The same store within a namespace: `prefix.` before every id, action, actor id, channel and unique key. Nests. */
  withPrefix(prefix: string): TaskStore;
}
