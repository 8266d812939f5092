import type { RunTree } from '../run/run-tree.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';
import type { ProgressCounts } from './progress-text.js';
import { countNodes } from './run-counts.js';
import type { RunView } from './run-view.js';
import { TreePoller } from './tree-poller.js';

/** How many nodes and items of a run have ended, as all progress is shown. */
export class ProgressLine implements RunView {
  readonly #progress: Progress;
  readonly #poller: TreePoller;
  #counts: ProgressCounts = { done: 0, failed: 0, total: null };

  constructor(output: Output, read: () => Promise<RunTree>) {
    this.#progress = new Progress({ output, counts: () => this.#counts });
    this.#poller = new TreePoller(read, (tree) => {
      this.#counts = countNodes(tree);
      // Only now: what had been done before is no part of the rate.
      this.#progress.start();
    });
  }

  start(): void {
    this.#poller.start();
  }

  async stop(): Promise<void> {
    this.#poller.stop();
    this.#progress.stop();
  }
}
