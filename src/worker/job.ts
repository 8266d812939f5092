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
  #decide: ((result: ActorResult | null) => void) | undefined;

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
    this.#decide?.(toAborted(reason));
  }

  /**
   * Has the actor perform the task, and resolves with what to return it as; `null`: it is lost. Never rejects:
   * a throw, of whatever value, is a failed try. An abort decides at once, whether the handler settles or not.
   */
  perform(
    actor: Actor,
    options: { logger: Logger; heartbeat: () => Promise<void>; timeoutMs: number | undefined },
  ): Promise<ActorResult | null> {
    this.#isBegun = true;
    if (this.#reason) return Promise.resolve(toAborted(this.#reason));
    const decided = new Promise<ActorResult | null>((resolve) => {
      this.#decide = resolve;
    });
    this.#handle(actor, this.#context(options)).then(this.#decide);
    return options.timeoutMs === undefined ? decided : this.#within(options.timeoutMs, decided);
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

  async #handle(actor: Actor, context: ActionContext): Promise<ActorResult> {
    try {
      return await actor.handle(this.task, context);
    } catch (thrown) {
      return toFailure(thrown);
    }
  }

  #within<T>(timeoutMs: number, decided: Promise<T>): Promise<T> {
    const timeout = new HandlerTimeoutError(this.task.action, timeoutMs);
    const timer = setTimeout(() => this.abort(timeout), timeoutMs);
    return decided.finally(() => clearTimeout(timer));
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
