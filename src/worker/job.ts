import { ManagerStoppedError, SignalboxError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { OwnedTask } from '../store/task-store.js';
import { type ActionContext, type Actor, type ActorResult, toFailure } from './actor.js';
import type { Lease } from './lease-keeper.js';

/** A handler took longer than its action's `timeoutMs`: what its signal gives as the reason. */
class HandlerTimeoutError extends SignalboxError {
  constructor(action: string, timeoutMs: number) {
    super(
      'HANDLER_TIMEOUT',
      `A handler of ${JSON.stringify(action)} took longer than ${timeoutMs} ms`,
    );
  }
}

/** What a job needs of its manager. One object for all jobs: closures per task would show at 40,000 a second. */
export interface JobHost {
  readonly actor: Actor;
  readonly logger: Logger;
  /** Extends the job's lease now: InvalidTokenError if it is lost. */
  extend(job: Job): Promise<void>;
  /** Called once, with what to return the task as; `null`: it is lost. */
  onDecided(job: Job, result: ActorResult | null): void;
}

/**
 * One owned task in a manager's hands, from owning to the end of its return.
 *
 *   waiting --perform()--> performing --handler settles, or abort()--> decided
 *   waiting --abort()--> decided at perform()
 *
 * The first decision stands: what a handler makes of the task after its signal fired is dropped.
 */
export class Job implements Lease {
  readonly task: OwnedTask;
  /** When the lease runs out, as performance.now(); the LeaseKeeper moves it. */
  expiresAt: number;
  readonly #host: JobHost;
  #state: 'waiting' | 'performing' | 'decided' = 'waiting';
  #reason: Error | undefined;
  /** Made when a handler asks for its signal: most never do. */
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #free: (() => void) | undefined;

  constructor(task: OwnedTask, ownedAt: number, host: JobHost) {
    this.task = task;
    this.expiresAt = ownedAt + (task.maxDurationMs ?? Number.POSITIVE_INFINITY);
    this.#host = host;
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
    if (this.#reason || this.#state === 'decided') return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    if (this.#state === 'performing') this.#decide(toAborted(reason));
  }

  lose(reason: Error): void {
    this.abort(reason);
  }

  /** Has the actor perform the task; resolves when it is decided. A throw, of whatever value, is a failed try. */
  perform(): Promise<void> {
    this.#state = 'performing';
    if (this.#reason) {
      this.#decide(toAborted(this.#reason));
      return Promise.resolve();
    }
    return new Promise((free) => {
      this.#free = free;
      this.#handle();
    });
  }

  #handle(): void {
    const { actor } = this.#host;
    const timeoutMs = actor.settings?.[this.task.action]?.timeoutMs;
    if (timeoutMs !== undefined) this.#limit(timeoutMs);
    try {
      const context = new JobContext(this, this.#host);
      actor.handle(this.task, context).then(
        (result) => this.#decide(result),
        (thrown) => this.#decide(toFailure(thrown)),
      );
    } catch (thrown) {
      this.#decide(toFailure(thrown));
    }
  }

  #decide(result: ActorResult | null): void {
    if (this.#state === 'decided') return;
    this.#state = 'decided';
    if (this.#timer) clearTimeout(this.#timer);
    this.#host.onDecided(this, result);
    this.#free?.();
  }

  #limit(timeoutMs: number): void {
    const timeout = new HandlerTimeoutError(this.task.action, timeoutMs);
    this.#timer = setTimeout(() => this.abort(timeout), timeoutMs);
  }
}

/** What a handler sees of its job. */
class JobContext implements ActionContext {
  readonly #job: Job;
  readonly #host: JobHost;

  constructor(job: Job, host: JobHost) {
    this.#job = job;
    this.#host = host;
  }

  get signal(): AbortSignal {
    return this.#job.signal;
  }

  get logger(): Logger {
    return this.#host.logger;
  }

  /** A function that needs no `this`: handlers take their context apart. */
  get heartbeat(): () => Promise<void> {
    return () => this.#host.extend(this.#job);
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
