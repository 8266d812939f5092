import { LONGEST_TIMER_MS } from '../timers.js';

/** Time as a pool sees it. */
export interface Clock {
  /** Milliseconds since 1970, as Date.now(). */
  now(): number;
  /** Calls back once, after so many milliseconds, unless the function that it returns is called before. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The machine's time. Its timers take any length and keep the process alive: what waits for them is to be done. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  after(delayMs: number, callback: () => void): () => void {
    let leftMs = delayMs;
    let timer: NodeJS.Timeout | undefined;
    const step = (): void => {
      const stepMs = Math.min(leftMs, LONGEST_TIMER_MS);
      leftMs -= stepMs;
      timer = setTimeout(leftMs > 0 ? step : callback, stepMs);
    };
    step();
    return () => clearTimeout(timer);
  },
});
