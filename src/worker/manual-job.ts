import { SnoozeError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Json, OwnedTask, Progress, TaskInput } from '../store/task-store.js';
import type { ActionContext, ActorResult } from './actor.js';
import { JobSettledError } from './worker-errors.js';

interface CompleteOptions {
  readonly status?: string;
  /** Inserted in the transaction of the return. */
  readonly tasks?: readonly TaskInput[];
}

/**
 * A task to be performed by whoever got it from `manager.jobs()`. Settle it once: JobSettledError the second time.
 *
 * `complete`, `fail` and `snooze` say whether the task was still ours; if not, `signal.reason` says why, and nothing is
 * returned. They do not wait for the return: see `onReturned`.
 */
export class ManualJob {
  readonly task: OwnedTask;
  readonly #context: ActionContext;
  readonly #resolve: (result: ActorResult) => void;
  readonly #reject: (thrown: unknown) => void;
  #isSettled = false;

  constructor(
    task: OwnedTask,
    context: ActionContext,
    resolve: (result: ActorResult) => void,
    reject: (thrown: unknown) => void,
  ) {
    this.task = task;
    this.#context = context;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Fires when the work is not wanted any more; `signal.reason` says why. */
  get signal(): AbortSignal {
    return this.#context.signal;
  }

  get logger(): Logger {
    return this.#context.logger;
  }

  /** What middleware left. */
  get values(): Map<PropertyKey, unknown> {
    return this.#context.values;
  }

  complete(result?: Json, options: CompleteOptions = {}): boolean {
    this.#settle();
    this.#resolve({ statusCode: 'completed', result, ...options });
    return !this.signal.aborted;
  }

  /** As if a handler had thrown this: retried, or aborted when it is a PermanentError or the last try. */
  fail(error: unknown): boolean {
    this.#settle();
    this.#reject(error);
    return !this.signal.aborted;
  }

  /** Comes back then, and this try does not count. */
  snooze(until: Date): boolean {
    return this.fail(new SnoozeError(until));
  }

  /** Extends the deadline now. The manager does so by itself; this also tells at once whether the task is still held: InvalidTokenError. */
  extend(): Promise<void> {
    return this.#context.heartbeat();
  }

  /** Says how far the work is, for those who watch the task: see ActionContext. */
  progress(report: Progress): void {
    this.#context.progress(report);
  }

  #settle(): void {
    if (this.#isSettled) throw new JobSettledError(this.task.id);
    this.#isSettled = true;
  }
}
