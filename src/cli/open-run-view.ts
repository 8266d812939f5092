import type { Run } from '../run/run.js';
import { readRunTree } from '../run/run-tree.js';
import type { TaskStore } from '../store/task-store.js';
import { EventLines } from './event-lines.js';
import type { AnyGraph } from './graph-modules.js';
import { LiveTree } from './live-tree.js';
import type { Output } from './output.js';
import { ProgressLine } from './progress-line.js';
import type { RunView } from './run-view.js';
import { readWatchedTree } from './watched-tree.js';

export interface RunViewOptions {
  readonly output: Output;
  readonly store: TaskStore;
  readonly run: Run<unknown>;
  readonly graph: AnyGraph;
  /** Asked for in detail. */
  readonly isWatched: boolean;
}

/** The nodes on a terminal, the events without one; unless that is asked for, how far it is in one line. */
export function openRunView({ output, store, run, graph, isWatched }: RunViewOptions): RunView {
  if (!isWatched) return new ProgressLine(output, () => readRunTree(store, run.id, graph));
  if (!output.isWatched) return new EventLines(output, run);
  return new LiveTree(output, () => readWatchedTree(store, run, graph));
}
