import type { RunTree } from '../run/run-tree.js';
import type { Output } from './output.js';
import { RateMeter } from './rate-meter.js';
import { renderRun, type ShownNode } from './render-run.js';
import { countItems } from './run-counts.js';
import type { RunView } from './run-view.js';
import { TreePoller } from './tree-poller.js';

const REDRAW_INTERVAL_MS = 250;
/** Long: items may take a while each. */
const RATE_WINDOW_MS = 30_000;

/** The nodes of a run on a terminal, drawn over what was drawn before. */
export class LiveTree implements RunView {
  readonly #output: Output;
  readonly #read: () => Promise<RunTree>;
  readonly #poller: TreePoller;
  readonly #meters = new Map<string, RateMeter>();
  readonly #rates = new Map<string, number>();
  #tree: RunTree | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(output: Output, read: () => Promise<RunTree>) {
    this.#output = output;
    this.#read = read;
    this.#poller = new TreePoller(read, (tree) => this.#take(tree));
  }

  start(): void {
    this.#poller.start();
    // Between looks durations go on.
    this.#timer ??= setInterval(() => this.#draw(), REDRAW_INTERVAL_MS).unref();
  }

  async stop({ isOver }: { readonly isOver: boolean }): Promise<void> {
    this.#poller.stop();
    clearInterval(this.#timer);
    this.#output.clearTransient();
    // The database may be what ended the run's wait.
    const last = isOver ? await this.#read().catch(() => undefined) : this.#tree;
    if (last) for (const line of this.#lines(last)) this.#output.note(line);
  }

  #take(tree: RunTree): void {
    this.#tree = tree;
    const nowMs = performance.now();
    for (const node of tree.nodes) {
      const done = doneOf(node);
      if (done === undefined) continue;
      const meter = this.#meters.get(node.node) ?? new RateMeter(RATE_WINDOW_MS);
      this.#meters.set(node.node, meter);
      this.#rates.set(node.node, meter.add(done, nowMs));
    }
    this.#draw();
  }

  #draw(): void {
    if (this.#tree) this.#output.showTransientLines(this.#lines(this.#tree));
  }

  #lines(tree: RunTree): string[] {
    return renderRun(tree, { ...this.#output.size, nowMs: Date.now(), rates: this.#rates });
  }
}

function doneOf({ items, progress }: ShownNode): number | undefined {
  return items ? countItems(items).done : progress?.done;
}
