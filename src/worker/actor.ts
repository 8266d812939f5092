import type { Logger } from '../logger.js';
import type {
  BodySchema,
  Json,
  OwnedTask,
  Progress,
  RetryPolicy,
  StatusCode,
  TaskInput,
} from '../store/task-store.js';

/**
 * What an actor made of a task. `pending` asks for another try, which the task's retry policy puts off, if it has one;
 * with `startAfter`, then, and this try does not count.
 */
export interface ActorResult {
  statusCode: 'completed' | 'aborted' | 'skipped' | 'pending';
  status?: string | undefined;
  result?: Json | undefined;
  startAfter?: Date | undefined;
  /** Inserted in the transaction of the return. */
  tasks?: readonly TaskInput[] | undefined;
}

/** What a handler gets besides its task. */
export interface ActionContext {
  /** Fires when the work is not wanted any more: cancelled, deadline lost, timed out, shutting down. `signal.reason` says which. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** What the actor's `prepare` has resolved with for the claim that the task came with; undefined where it did not. */
  readonly prepared: unknown;
  /** What middleware leaves for those further in. */
  readonly values: Map<PropertyKey, unknown>;
  /** Extends the deadline now. The manager does so by itself; this also tells at once whether the task is still held: InvalidTokenError. */
  heartbeat(): Promise<void>;
  /** Says how far the work is, for those who watch the task. The latest report is kept, at most once a second; none is promised. */
  progress(report: Progress): void;
}

/** What became of a try, as the database has it. */
export interface ReturnedOutcome {
  /** `pending`: another try will follow. */
  readonly statusCode: StatusCode;
  readonly status: string | undefined;
  readonly result: Json | undefined;
  /** It was snoozed until then. */
  readonly startAfter: Date | undefined;
}

/** Told of a try once its return is committed; `error` is what its handler threw. What it throws in turn is logged. */
export type ReturnedHook = (
  task: OwnedTask,
  outcome: ReturnedOutcome,
  error: unknown,
) => void | Promise<void>;

/** What a manager keeps to when it has an action performed. */
export interface ActionSettings {
  /** Bodies must fit it, at insert through the manager's store and before handling. */
  readonly schema?: BodySchema;
  /** At most this many handlers of the action at once in a manager. Default: its `workers`. */
  readonly concurrency?: number;
  /** A try that takes longer is aborted, counts, and its slot is freed whether the handler settles or not. Default: no limit. */
  readonly timeoutMs?: number;
  /** Of tasks without a policy of their own. Default: the manager's. */
  readonly retry?: RetryPolicy;
  /** Of tasks without a limit of their own. Default: the manager's. */
  readonly maxTries?: number;
  /** Called after the manager's own hook. */
  readonly onReturned?: ReturnedHook;
  /** Tasks are deleted once they have completed and signalled, unless somebody waits for them. Default false. */
  readonly autoDelete?: boolean;
}

/** Who performs which actions: what an actor has with a handler or without. */
interface Performer {
  readonly id: string;
  /** Read whenever tasks are asked for. */
  readonly actions: readonly string[];
  /** By action; read whenever a task is performed. */
  readonly settings?: Readonly<Record<string, ActionSettings>>;
  /**
   * Called with tasks just owned, before they can take up a worker: to read in one go what their handlers will need, who
   * find what it resolves with in `context.prepared`. They wait for it, as long as a heartbeat at most. What it rejects with is
   * logged, and they are performed all the same.
   */
  prepare?(tasks: readonly OwnedTask[]): Promise<unknown>;
  /** Has the listener called after each change of actions or settings, until the function returned is called. */
  onChange?(listener: () => void): () => void;
}

/** Whatever performs actions. */
export interface Actor extends Performer {
  handle(task: OwnedTask, context: ActionContext): Promise<ActorResult>;
}

/** An actor whose tasks are performed by hand: see `ActionManager.jobs`. */
export interface ManualActor extends Performer {
  readonly handle?: undefined;
}

/** Performs one action: returns the result, or throws to fail. */
export type ActionHandler = (
  task: OwnedTask,
  context: ActionContext,
) => Promise<Json | undefined | void> | Json | undefined | void;

/** A handler, alone or with settings. */
export type ActionDefinition =
  | ActionHandler
  | ({ readonly handle: ActionHandler } & ActionSettings);
