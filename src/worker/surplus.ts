import { type Pace, PREFETCH } from './pace.js';

interface SurplusOptions {
  readonly pace: Pick<Pace, 'isHeldUp'>;
  readonly numWaiting: () => number;
  /** Gives them to whoever has a worker for them. */
  readonly handBack: () => void;
}

/**
 * Hands back tasks that wait although no worker will come free for them soon.
 *
 * The pace tells of the past: after short handlers a batch may turn out to be of long ones, which would wait here, one
 * after another, while others idle. Once every worker has been held up for longer than the horizon, what waits goes back, no try
 * used up.
 */
export class Surplus {
  readonly #options: SurplusOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SurplusOptions) {
    this.#options = options;
  }

  /** Tasks may wait: looks until none does. */
  watch(): void {
    if (this.#timer || this.#options.numWaiting() === 0) return;
    this.#timer = setTimeout(() => this.#look(), PREFETCH.horizonMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#options.pace.isHeldUp) this.#options.handBack();
    this.watch();
  }
}
