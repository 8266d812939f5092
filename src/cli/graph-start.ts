import type { GraphDefinition } from '../graph/node-definition.js';
import type { Run } from '../run/run.js';
import { readRunBody } from '../run/run-body.js';
import { openRun, startRun } from '../run/start-run.js';
import type { Json, Task, TaskStore } from '../store/task-store.js';
import { UsageError } from './cli-errors.js';
import type { AnyGraph } from './graph-modules.js';
import { hasEnded } from './run-report.js';

/** How a run of a graph stands when the command begins to work on it. */
export interface GraphStart {
  readonly run: Run<unknown>;
  readonly state: 'new' | 'resumed' | 'ended';
}

export interface GraphStartOptions {
  /** Undefined: none is given; a run that is there is gone on with whatever its input. */
  readonly input: Json | undefined;
  readonly runId: string | undefined;
  readonly fresh: boolean;
}

/**
 * Starts a run, or finds it: of the same input and shape it is gone on with. InvalidValueError and RunInputMismatchError for
 * the input, UsageError for the shape; nothing is changed then. With `fresh` an earlier run of the id is deleted first.
 */
export async function startGraph(
  store: TaskStore,
  graph: AnyGraph,
  { input, runId, fresh }: GraphStartOptions,
): Promise<GraphStart> {
  if (runId === undefined) {
    if (fresh) throw new UsageError('--fresh deletes a run; say which with --run-id.');
    return { run: await startRun(store, graph, input), state: 'new' };
  }
  const id = nameOf(graph, runId);
  const run = openRun(store, graph, id);
  if (fresh) await run.delete();
  const task = await store.getTask(run.id);
  if (!task) {
    return { run: await startRun(store, graph, input, { runId: id, resume: true }), state: 'new' };
  }
  checkShape(task, graph);
  if (input !== undefined) await startRun(store, graph, input, { runId: id, resume: true });
  return { run, state: hasEnded(task) ? 'ended' : 'resumed' };
}

/** A run may be named as it is printed, `<graph>/<runId>`. */
function nameOf({ name }: GraphDefinition, runId: string): string {
  return runId.startsWith(`${name}/`) ? runId.slice(name.length + 1) : runId;
}

/** UsageError where a run was started with another version, or another shape of the same one: nobody here would perform it. */
export function checkShape({ id, body }: Task, graph: GraphDefinition): void {
  const { version, hash } = readRunBody(body);
  if (version === graph.version && hash === graph.hash) return;
  throw new UsageError(
    `Run ${JSON.stringify(id)} was started with ${graph.name}@${version} of the hash ${hash}, and the module has ` +
      `${graph.name}@${graph.version} of the hash ${graph.hash}. Take the module of that time, another --run-id, or --fresh with signalbox run.`,
  );
}
