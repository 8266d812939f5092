import { ManagerStoppedError, SignalboxError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { OwnedTask } from '../store/task-store.js';
import { type ActionContext, type Actor, type ActorResult, toFailure } from './actor.js';

/** A handler took longer than its action's `timeoutMs`: what its signal gives as the reason. */
class HandlerTimeoutError extends SignalboxError {
  constructor(action: string, timeoutMs: number) {
    super(
      'HANDLER_TIMEOUT',
      `A handler of ${JSON.stringify(action)} took longer than ${timeoutMs} ms`,
    );
  }
}

/**
 * One owned task in a manager's hands, from owning to the end of its return.
 *
 *   waiting --perform()--> performing --handler settles, or abort()--> decided
 *   waiting --abort()--> decided at perform()
 *
 * The first decision stands: what a handler makes of the task after its signal fired is dropped.
 */
export class Job {
  readonly task: OwnedTask;
  #isBegun = false;
  #reason: Error | undefined;
  /** Made when a handler asks for its signal: most never do. */
  #controller: AbortController | undefined;
  #onDecided: ((result: ActorResult | null) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(task: OwnedTask) {
    this.task = task;
  }

  get isBegun(): boolean {
    return this.#isBegun;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** The work is not wanted any more. The first reason stands. */
  abort(reason: Error): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    if (this.#isBegun) this.#decide(toAborted(reason));
  }

  /**
   * Has the actor perform the task, and calls `onDecided` once with what to return it as; `null`: it is lost.
   * A throw, of whatever value, is a failed try. An abort decides at once, whether the handler settles or not.
   *
   * A callback and not a promise: at 40,000 tasks a second each promise a task goes through shows.
   */
  perform(
    actor: Actor,
    options: { logger: Logger; heartbeat: () => Promise<void>; timeoutMs: number | undefined },
    onDecided: (result: ActorResult | null) => void,
  ): void {
    this.#isBegun = true;
    this.#onDecided = onDecided;
    if (this.#reason) {
      this.#decide(toAborted(this.#reason));
      return;
    }
    if (options.timeoutMs !== undefined) this.#limit(options.timeoutMs);
    this.#handle(actor, this.#context(options));
  }

  #decide(result: ActorResult | null): void {
    const onDecided = this.#onDecided;
    this.#onDecided = undefined;
    clearTimeout(this.#timer);
    onDecided?.(result);
  }

  #context({ logger, heartbeat }: Omit<ActionContext, 'signal'>): ActionContext {
    const job = this;
    return {
      get signal() {
        return job.signal;
      },
      logger,
      heartbeat,
    };
  }

  #handle(actor: Actor, context: ActionContext): void {
    const fail = (thrown: unknown) => this.#decide(toFailure(thrown));
    try {
      actor.handle(this.task, context).then((result) => this.#decide(result), fail);
    } catch (thrown) {
      fail(thrown);
    }
  }

  #limit(timeoutMs: number): void {
    const timeout = new HandlerTimeoutError(this.task.action, timeoutMs);
    this.#timer = setTimeout(() => this.abort(timeout), timeoutMs);
  }
}

/** A handler that timed out used up its try; a task handed back at a stop did not; a lost one is not ours to return. */
function toAborted(reason: Error): ActorResult | null {
  if (reason instanceof HandlerTimeoutError)
    return { statusCode: 'pending', status: reason.message };
  if (!(reason instanceof ManagerStoppedError)) return null;
  return {
    statusCode: 'pending',
    status: 'handed back: the manager stopped',
    startAfter: new Date(0),
  };
}
