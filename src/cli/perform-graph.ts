import { WaitTimeoutError } from '../errors.js';
import { graphWorker } from '../run/graph-worker.js';
import type { Run } from '../run/run.js';
import { readRunTree } from '../run/run-tree.js';
import type { TaskStore } from '../store/task-store.js';
import { InterruptedError } from './cli-errors.js';
import type { AnyGraph } from './graph-modules.js';
import { queuesOf } from './graph-needs.js';
import type { GraphStart } from './graph-start.js';
import type { Handlers } from './modules.js';
import { openRunView } from './open-run-view.js';
import { countOf, formatCount } from './progress-text.js';
import { countNodes } from './run-counts.js';

import type { Session } from './session.js';

export interface PerformGraphOptions {
  readonly run: Run<unknown>;
  readonly state: GraphStart['state'];
  readonly graph: AnyGraph;
  /** Those that are performed. */
  readonly graphs: readonly AnyGraph[];
  readonly handlers: Handlers;
  /** The command that goes on with the run; null: nothing is left of it. */
  readonly goOn: string | null;
  readonly isWatched: boolean;
  readonly workers: number;
  /** How soon the tasks of a crashed run come back. */
  readonly maxDurationMs: number;
  readonly drainMs: number;
  readonly timeoutMs: number | undefined;
}

/** Performs a run until it has ended. WaitTimeoutError, InterruptedError; all that was owned has then been handed back. */
export async function performGraph(
  session: Session,
  store: TaskStore,
  options: PerformGraphOptions,
): Promise<void> {
  const { output, interrupted } = session;
  const { run, state, timeoutMs } = options;
  if (state === 'ended') return;
  output.note(state === 'new' ? `Run ${run.id} started.` : `Run ${run.id}: going on.`);
  output.event({ run: { id: run.id, state } });
  try {
    await whilePerforming(session, store, options, async () => {
      const timeout = timeoutMs === undefined ? {} : { timeoutMs };
      await store.waitFor(run.id, { signal: interrupted, ...timeout });
    });
  } catch (error) {
    if (interrupted.aborted) throw await interruption(store, options);
    const { goOn } = options;
    if (error instanceof WaitTimeoutError && goOn !== null) output.note(`Go on with: ${goOn}`);
    throw error;
  }
}

async function whilePerforming(
  { output }: Session,
  store: TaskStore,
  { run, graph, graphs, handlers, isWatched, workers, maxDurationMs, drainMs }: PerformGraphOptions,
  work: () => Promise<void>,
): Promise<void> {
  const { logger } = output;
  const queues = queuesOf(graphs);
  const manager = graphWorker(store, graphs, { handlers, workers, maxDurationMs, queues, logger });
  const view = openRunView({ output, store, run, graph, isWatched });
  let isOver = false;
  try {
    await manager.start();
    view.start();
    await work();
    isOver = true;
  } finally {
    await view.stop({ isOver });
    await manager.stop({ timeoutMs: drainMs });
  }
}

async function interruption(
  store: TaskStore,
  { run, graph, goOn }: PerformGraphOptions,
): Promise<InterruptedError> {
  const { done, total } = countNodes(await readRunTree(store, run.id, graph));
  const further = goOn === null ? '' : ` Go on with: ${goOn}`;
  return new InterruptedError(
    `Run ${run.id} was interrupted with ${formatCount(done)} of ${countOf(total ?? done, 'task')} done.${further}`,
  );
}
