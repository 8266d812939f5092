import type pg from 'pg';

/** Any JSON value. Strings must not hold \u0000, which Postgres cannot store. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** Where a task stands. The last four are terminal: nothing but a rerun changes them. */
export type StatusCode =
  | 'pending'
  | 'in-progress'
  | 'completed'
  | 'aborted'
  | 'skipped'
  | 'cancelled';

/** Which outcomes of its dependencies a task runs after; judged once all have signalled. */
export type RunWhen = 'all_done' | 'all_succeeded' | 'any_failed' | 'any_succeeded';

/** How long a task returned as `pending`, or whose deadline lapsed, stays away before its next try. */
export interface RetryPolicy {
  /** Milliseconds before the second try. */
  delayMs: number;
  /** Each further delay is this many times the one before. Default 1. */
  factor?: number;
  /** No delay is longer than this. Default: no limit. */
  maxDelayMs?: number;
}

/** A task to insert. */
export interface TaskInput<Body = Json> {
  /** Unique for ever within the prefix; 1 to 2,048 bytes in UTF-8. */
  id: string;
  /** The kind of work; `null` makes a milestone, which the engine completes by itself. */
  action: string | null;
  body?: Body;
  /** Ids of the tasks that get a signal when this one ends. Each once; a duplicate counts once. */
  toSignalAfter?: readonly string[];
  /** Signals to wait for. Left out: the number of tasks that list this one, now and in later inserts. */
  totalDependencies?: number;
  /** Default `'default'`. */
  queue?: string;
  /** -32,768 to 32,767; higher first. Default 0. */
  priority?: number;
  startAfter?: Date;
  /** Default: no limit. */
  maxTries?: number;
  retry?: RetryPolicy;
  /** How long one ownership lasts; default: what the owner asks for. */
  maxDurationMs?: number;
  /** Default `'all_done'`. */
  runWhen?: RunWhen;
  /** No two unfinished tasks have the same key. */
  uniqueKey?: string;
  /** A channel to NOTIFY with `{"id","statusCode","status"}` when the task ends; at most 63 bytes. */
  notifyChannelAfter?: string;
}

/** A task under a lease. `token` proves the ownership until `deadline`. */
export interface OwnedTask<Body = Json> {
  readonly id: string;
  readonly token: string;
  readonly action: string;
  readonly body: Body;
  readonly queue: string;
  readonly priority: number;
  /** How many of the signals received carried a failure. */
  readonly numSignalledFailures: number;
  /** This try counted: 1 at the first. */
  readonly numTries: number;
  readonly maxTries: number | null;
  /** `null`: the ownership never lapses. */
  readonly deadline: Date | null;
  /** How long the ownership was given for: what to extend it by. */
  readonly maxDurationMs: number | null;
}

/** How a task stands or ended. */
export interface TaskOutcome {
  readonly id: string;
  readonly statusCode: StatusCode;
  readonly status: string | null;
  readonly result: Json | null;
}

/** Everything that is known of a task. */
export interface Task extends TaskOutcome {
  readonly action: string | null;
  readonly body: Json | null;
  readonly toSignalAfter: readonly string[];
  readonly totalDependencies: number;
  readonly numSignals: number;
  readonly numFailures: number;
  readonly numSkipped: number;
  readonly queue: string;
  readonly priority: number;
  readonly startAfter: Date | null;
  readonly numTries: number;
  readonly maxTries: number | null;
  readonly retry: RetryPolicy | null;
  readonly maxDurationMs: number | null;
  readonly runWhen: RunWhen;
  readonly uniqueKey: string | null;
  readonly notifyChannelAfter: string | null;
  readonly actorId: string | null;
  readonly deadline: Date | null;
  readonly createdAt: Date;
  /** When the latest try began. */
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
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
}

/** What a task is returned as. */
export interface TaskReturnOutcome {
  /** `pending` asks for another try. */
  statusCode: 'completed' | 'aborted' | 'pending';
  status?: string | undefined;
  result?: Json | undefined;
  /** With `pending` only: come back then, and do not count this try (a snooze). */
  startAfter?: Date | undefined;
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

/** All conditions must hold; one left out always does. */
export interface TaskFilter {
  idPrefix?: string;
  actions?: readonly string[];
  queues?: readonly string[];
  statusCodes?: readonly StatusCode[];
  /** At most this many tasks. Default: no limit. */
  limit?: number;
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
  /** Inserts a batch, all or nothing, checked before it is written: see docs/concepts.md. */
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

  /** Gives a task back. InvalidTokenError if it is no longer held. */
  returnTask(id: string, token: string, outcome: TaskReturnOutcome): Promise<void>;

  /** Gives many back in one transaction; reports in the order given. One that fails does not stop the others. */
  returnTasks(returns: readonly TaskReturn[]): Promise<ReturnReport[]>;

  /** A waiter that sees every end from this moment on, or the end that has been. TaskNotFoundError. */
  newWaiter(id: string): Promise<Waiter>;

  /** Resolves when the task, or every task, has ended. WaitTimeoutError, WaitCancelledError, TaskNotFoundError. */
  waitFor(id: string, options?: WaitOptions): Promise<TaskOutcome>;
  waitFor(ids: readonly string[], options?: WaitOptions): Promise<TaskOutcome[]>;

  getTask(id: string): Promise<Task | null>;

  /** In the order of `ids`; those that do not exist are left out. */
  getTasks(ids: readonly string[]): Promise<Task[]>;

  /** In the order of their ids, read page by page: constant memory. Not a snapshot. */
  listTasks(filter?: TaskFilter): AsyncIterable<Task>;

  /** Gives each task one signal from outside; resolves with how many still waited for one. */
  signalTasks(ids: readonly string[], options?: SignalOptions): Promise<number>;

  /** Ends unfinished tasks as `cancelled`; resolves with how many. Their targets get a failure. */
  cancelTasks(ids: readonly string[], options?: CancelOptions): Promise<number>;

  /** Makes ended tasks pending again, tries counted anew; resolves with how many. */
  rerunTasks(ids: readonly string[], options?: RerunOptions): Promise<number>;

  /** Deletes tasks and, recursively, waiting ones left without dependencies; resolves with how many. */
  deleteTasks(ids: readonly string[]): Promise<number>;

  /**
   * Resolves when a task may have become ready in one of these lanes, or when the time is up: what an idle
   * worker does instead of polling. A wake-up may be spurious; one may be lost, hence the time-out.
   */
  waitForReady(
    request: ReadyRequest,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<void>;

  /** From now on, bodies for `action` must fit `schema` to be inserted through this process: InvalidBodyError. */
  registerBodySchema(action: string, schema: BodySchema): void;

  /** The same store within a namespace: `prefix.` before every id, action, actor id, channel and unique key. Nests. */
  withPrefix(prefix: string): TaskStore;
}
