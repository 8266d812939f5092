import { PermanentError } from '../errors.js';
import type { Logger } from '../logger.js';
import { onAbort } from '../on-abort.js';
import { Attempt, type Outcome, type PoolFunction } from './attempt.js';
import { AttemptErrors } from './attempt-errors.js';
import { backoffMs } from './backoff.js';
import type { Clock } from './clock.js';
import { PoolTaskCancelledError } from './pool-errors.js';
import { checkedDelayMs, type FullPoolTaskOptions } from './pool-task-options.js';
import type { PooledTask } from './pooled-task.js';

/** What a job needs of its pool. */
export interface PoolJobHost {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Its start time, or the end of its back-off, has come. */
  onDue(job: PoolJob<unknown>): void;
  /** An attempt failed; the next follows when the job is due again. */
  onPaused(job: PoolJob<unknown>): void;
  /** Called once; from within abort() if it was aborted. */
  onSettled(job: PoolJob<unknown>): void;
}

/**
 * One task in the hands of a pool.
 *
 *   blocked --accept()--> waiting --perform()--> performing --returned, or failed for good--> settled
 *                            '------- failed: back-off -----'
 *   any --abort()--> settled
 */
export class PoolJob<T> implements PooledTask<T> {
  /** Resolves with the job once it is accepted; rejects with what it was aborted with before. */
  readonly accepted: Promise<PooledTask<T>>;
  readonly #fn: PoolFunction<T>;
  readonly #options: FullPoolTaskOptions;
  readonly #host: PoolJobHost;
  readonly #errors = new AttemptErrors();
  /** Until it is accepted. */
  #gate: { readonly open: () => void; readonly refuse: (error: unknown) => void } | undefined;
  #cancelTimer: (() => void) | undefined;
  #forgetSignal: (() => void) | undefined;
  #attempt: Attempt<T> | undefined;
  #numAttempts = 0;
  #outcome: Outcome<T> | undefined;
  #result: Promise<T> | undefined;
  /** Tells who asked for the result; undefined while nobody has. */
  #tell: (() => void) | undefined;

  constructor(fn: PoolFunction<T>, options: FullPoolTaskOptions, host: PoolJobHost) {
    this.#fn = fn;
    this.#options = options;
    this.#host = host;
    this.accepted = new Promise((resolve, reject) => {
      this.#gate = { open: () => resolve(this), refuse: reject };
    });
    const startAfter = options.startAfter?.getTime() ?? 0;
    if (startAfter > host.clock.now()) this.#waitUntil(startAfter);
  }

  get numAttempts(): number {
    return this.#numAttempts;
  }

  get isSettled(): boolean {
    return this.#outcome !== undefined;
  }

  /** Neither its start time nor a back-off keeps it from beginning. */
  get isDue(): boolean {
    return this.#cancelTimer === undefined;
  }

  /** What the last attempt threw. */
  get lastThrown(): unknown {
    return this.#errors.last;
  }

  result(): Promise<T> {
    this.#result ??= new Promise((resolve, reject) => {
      this.#tell = () => {
        if (this.#outcome?.ok) resolve(this.#outcome.value);
        else if (this.#outcome) reject(this.#outcome.thrown);
      };
      this.#tell();
    });
    return this.#result;
  }

  /** Aborted when its signal fires, at once if it has; until it is settled. */
  heedSignal(): void {
    const { signal } = this.#options;
    if (!signal) return;
    const cancel = (): void => this.abort(new PoolTaskCancelledError({ cause: signal.reason }));
    if (signal.aborted) cancel();
    else this.#forgetSignal = onAbort(signal, cancel);
  }

  accept(): void {
    this.#gate?.open();
    this.#gate = undefined;
  }

  /** Not wanted any more: settled with this error at once, and the signal of its attempt fires. The first settlement stands. */
  abort(error: Error): void {
    if (this.#outcome) return;
    this.#cancelTimer?.();
    this.#settle({ ok: false, thrown: error });
    this.#attempt?.abort(error);
  }

  /** Makes one attempt; resolves when it is over. Whatever is thrown is a failed attempt. */
  async perform(): Promise<void> {
    const { timeoutMs } = this.#options;
    const { clock } = this.#host;
    this.#attempt = new Attempt(this.#fn, { attempt: ++this.#numAttempts, timeoutMs, clock });
    const outcome = await this.#attempt.over;
    this.#attempt = undefined;
    if (this.#outcome) return;
    if (outcome.ok) this.#settle(outcome);
    else this.#failed(outcome.thrown);
  }

  #failed(thrown: unknown): void {
    this.#errors.add(thrown);
    const delayMs = this.#retryDelayMs(thrown);
    if (delayMs === undefined) {
      const error = this.#errors.toError(this.#options.error, this.#numAttempts - 1);
      this.#settle({ ok: false, thrown: error });
      return;
    }
    this.#cancelTimer = this.#host.clock.after(delayMs, () => this.#becomeDue());
    this.#host.onPaused(this);
    const retry = { err: thrown, attempt: this.#numAttempts, delayMs };
    this.#host.logger.debug(retry, 'an attempt at a task of the pool failed; it is tried again');
  }

  /** Undefined: no retry. A back-off that throws, or gives no delay, is an error of the task like any other, and its last. */
  #retryDelayMs(thrown: unknown): number | undefined {
    const { retries, backoff } = this.#options;
    if (this.#numAttempts > retries || thrown instanceof PermanentError) return undefined;
    try {
      if (typeof backoff === 'function') return checkedDelayMs(backoff(this.#numAttempts));
      return backoffMs(backoff, this.#numAttempts, this.#host.random);
    } catch (fault) {
      this.#errors.add(fault);
      return undefined;
    }
  }

  /** Looks at the clock again when the timer fires: timers are early by up to a millisecond, and clocks are set back. */
  #waitUntil(time: number): void {
    const { clock } = this.#host;
    const look = (): void => {
      const leftMs = time - clock.now();
      if (leftMs > 0) this.#cancelTimer = clock.after(leftMs, look);
      else this.#becomeDue();
    };
    look();
  }

  #becomeDue(): void {
    this.#cancelTimer = undefined;
    this.#host.onDue(this);
  }

  #settle(outcome: Outcome<T>): void {
    this.#outcome = outcome;
    if (this.#gate && !outcome.ok) this.#gate.refuse(outcome.thrown);
    else if (this.#tell) this.#tell();
    else if (!outcome.ok) this.#logUnlessAsked(outcome.thrown);
    this.#gate = undefined;
    this.#forgetSignal?.();
    this.#host.onSettled(this);
  }

  /** When Node would report an unhandled rejection: a caller who has just learnt that the task is accepted asks before. */
  #logUnlessAsked(err: unknown): void {
    process.nextTick(() => {
      if (this.#tell) return;
      this.#host.logger.error(
        { err },
        'a task of the pool failed, and nobody asked for its result',
      );
    });
  }
}
