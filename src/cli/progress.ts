import type { Output } from './output.js';
import { etaMs, formatProgress, type ProgressCounts } from './progress-text.js';
import { RateMeter } from './rate-meter.js';

const REWRITE_INTERVAL_MS = 100;
const LINE_INTERVAL_MS = 2_000;
const RATE_WINDOW_MS = 5_000;

export interface ProgressOptions {
  readonly output: Output;
  /** Asked at every showing; must be cheap. */
  readonly counts: () => ProgressCounts;
  /** A monotonic clock in milliseconds. Default: performance.now. */
  readonly now?: () => number;
}

/**
 * Shows progress while it runs: one line rewritten on a terminal, else a line, or a JSON line, every two
 * seconds, if anything has changed. The rate is that of the last five seconds.
 */
export class Progress {
  readonly #output: Output;
  readonly #counts: () => ProgressCounts;
  readonly #now: () => number;
  #rate = new RateMeter(RATE_WINDOW_MS);
  #shown = '';
  #timer: NodeJS.Timeout | undefined;

  constructor({ output, counts, now = () => performance.now() }: ProgressOptions) {
    this.#output = output;
    this.#counts = counts;
    this.#now = now;
  }

  start(): void {
    if (this.#timer) return;
    this.#rate = new RateMeter(RATE_WINDOW_MS);
    this.#rate.add(this.#counts().done, this.#now());
    const intervalMs = this.#output.canRewrite ? REWRITE_INTERVAL_MS : LINE_INTERVAL_MS;
    this.#timer = setInterval(() => this.show(), intervalMs);
    this.#timer.unref();
  }

  /** Takes the rewritten line away. Safe twice and before start. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#output.clearTransient();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /** Shows how far it is now: what the timer does. */
  show(): void {
    const counts = this.#counts();
    const perSecond = this.#rate.add(counts.done, this.#now());
    if (this.#output.canRewrite) {
      this.#output.showTransient(formatProgress(counts, perSecond));
      return;
    }
    const key = `${counts.done} ${counts.failed} ${counts.total}`;
    if (key === this.#shown) return;
    this.#shown = key;
    this.#output.note(formatProgress(counts, perSecond));
    this.#output.event({ progress: { ...counts, perSecond, etaMs: etaMs(counts, perSecond) } });
  }
}
