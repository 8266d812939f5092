import type { Graph } from './graph/definition.js';
import type { GraphDefinition } from './graph/node-definition.js';
import { PrefixedTaskStore } from './prefix/prefixed-task-store.js';
import { type GraphWorkerOptions, graphWorker } from './run/graph-worker.js';
import type { Run } from './run/run.js';
import { openRun, type StartArguments, startRun } from './run/start-run.js';
import type { ActionManager } from './worker/action-manager.js';

/** A namespace of a Signalbox: its tasks, and its runs of graphs. Made by `withPrefix`; there is nothing to close. */
export class Namespace extends PrefixedTaskStore {
  override withPrefix(prefix: string): Namespace {
    return new Namespace(this, prefix);
  }

  /** Starts a run of a graph: see startRun. */
  start<I, O>(graph: Graph<I, O>, ...rest: StartArguments<I>): Promise<Run<O>> {
    return startRun(this, graph, ...rest);
  }

  /** The handle of a run that was started, by `<runId>` or `<graph>/<runId>`. */
  run<O>(graph: Graph<never, O>, id: string): Run<O> {
    return openRun(this, graph, id);
  }

  /** A manager that performs graphs in this namespace alone; not started. */
  worker(graphs: readonly GraphDefinition[], options?: GraphWorkerOptions): ActionManager {
    return graphWorker(this, graphs, options);
  }
}
