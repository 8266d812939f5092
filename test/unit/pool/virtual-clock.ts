import type { Clock } from '../../../src/pool/clock.js';

/** Lets what has been resolved have its consequences. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Time that passes only when a test says so. */
export class VirtualClock implements Clock {
  /** Every delay that was asked for, in order. */
  readonly delays: number[] = [];
  #timers: { readonly at: number; readonly callback: () => void }[] = [];
  #now: number;

  constructor(now = Date.UTC(2030, 0, 1)) {
    this.#now = now;
  }

  get numTimers(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + delayMs, callback };
    this.delays.push(delayMs);
    this.#timers.push(timer);
    this.#timers.sort((a, b) => a.at - b.at);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** So much time passes, and all that follows from it. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await turn();
    while (await this.#fireNext(end));
    this.#now = end;
  }

  /** Time passes until the promise is settled, which is returned. Throws when nothing more could settle it. */
  async passUntil<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    await turn();
    while (!isSettled) {
      if (!(await this.#fireNext(Number.POSITIVE_INFINITY))) throw new Error('it waits for ever');
    }
    return promise;
  }

  /** The wall clock is set; timers go on as they were. */
  set(now: number): void {
    const byMs = now - this.#now;
    this.#now = now;
    this.#timers = this.#timers.map(({ at, callback }) => ({ at: at + byMs, callback }));
  }

  async #fireNext(end: number): Promise<boolean> {
    const timer = this.#timers[0];
    if (!timer || timer.at > end) return false;
    this.#timers.shift();
    this.#now = Math.max(this.#now, timer.at);
    timer.callback();
    await turn();
    return true;
  }
}
