import type { RunTree } from '../run/run-tree.js';

const MIN_INTERVAL_MS = 250;
/** A look at a run of 100,000 tasks takes a good part of a second: it must not take up the database. */
const REST_PER_LOOK = 10;

/** Looks at a run again and again: a few times a second, and the more seldom the longer a look takes. */
export class TreePoller {
  readonly #read: () => Promise<RunTree>;
  readonly #onTree: (tree: RunTree) => void;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = true;

  constructor(read: () => Promise<RunTree>, onTree: (tree: RunTree) => void) {
    this.#read = read;
    this.#onTree = onTree;
  }

  start(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    void this.#go();
  }

  /** Safe twice and before start; a look that is under way is not told of. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #go(): Promise<void> {
    const beganMs = performance.now();
    try {
      const tree = await this.#read();
      if (!this.#isStopped) this.#onTree(tree);
    } catch {
      // Whoever awaits the run learns that the database is out of reach; what was seen last stays.
    }
    if (this.#isStopped) return;
    const restMs = Math.max(MIN_INTERVAL_MS, REST_PER_LOOK * (performance.now() - beganMs));
    this.#timer = setTimeout(() => void this.#go(), restMs);
    this.#timer.unref();
  }
}
