import type { Clock } from './clock.js';
import { PoolTaskTimeoutError } from './pool-errors.js';

/** What a task gets each time it is tried. */
export interface AttemptContext {
  /** Fires when this attempt is not wanted any more: timed out, cancelled, the pool stopped. `signal.reason` says which. */
  readonly signal: AbortSignal;
  /** 1 at the first attempt. */
  readonly attempt: number;
}

/** What a pool performs: returns the result, at once or as a promise, or throws to fail. */
export type PoolFunction<T> = (context: AttemptContext) => T | PromiseLike<T>;

/** How an attempt, or a task, ended. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly thrown: unknown };

/**
 * One attempt at a task, begun when it is made.
 *
 *   running --returned, threw, timed out, abort()--> over
 *
 * The first of these stands: what the function makes of it after its signal fired is dropped.
 */
export class Attempt<T> {
  /** Never rejects. */
  readonly over: Promise<Outcome<T>>;
  readonly #controller = new AbortController();
  readonly #cancelTimeout: (() => void) | undefined;
  #onAbort: (reason: Error) => void = () => {};
  #isOver = false;

  constructor(
    fn: PoolFunction<T>,
    options: { readonly attempt: number; readonly timeoutMs: number; readonly clock: Clock },
  ) {
    const { attempt, timeoutMs, clock } = options;
    if (timeoutMs !== Number.POSITIVE_INFINITY) {
      const timeOut = (): void => this.abort(new PoolTaskTimeoutError(timeoutMs));
      this.#cancelTimeout = clock.after(timeoutMs, timeOut);
    }
    const aborted = new Promise<Outcome<never>>((resolve) => {
      this.#onAbort = (reason) => resolve({ ok: false, thrown: reason });
    });
    const called = this.#call(fn, { signal: this.#controller.signal, attempt });
    this.over = Promise.race([called, aborted]);
  }

  /** Over with this error, now, whether the function settles or not. Does nothing once it is over. */
  abort(reason: Error): void {
    if (this.#isOver) return;
    this.#finish();
    this.#onAbort(reason);
    this.#controller.abort(reason);
  }

  async #call(fn: PoolFunction<T>, context: AttemptContext): Promise<Outcome<T>> {
    try {
      return { ok: true, value: await fn(context) };
    } catch (thrown) {
      return { ok: false, thrown };
    } finally {
      this.#finish();
    }
  }

  #finish(): void {
    this.#isOver = true;
    this.#cancelTimeout?.();
  }
}
