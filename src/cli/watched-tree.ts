import type { GraphDefinition } from '../graph/node-definition.js';
import type { Run } from '../run/run.js';
import type { NodeStatus } from '../run/run-status.js';
import { type RunTree, readRunTree } from '../run/run-tree.js';
import type { TaskStore } from '../store/task-store.js';
import type { ShownNode } from './render-run.js';

/** The tree of a run, with what the handlers of its nodes have said of how far they are, where the run tells it. */
export async function readWatchedTree(
  store: Pick<TaskStore, 'listRunParts'>,
  run: Pick<Run<unknown>, 'id' | 'nodes'>,
  graph: GraphDefinition,
): Promise<RunTree> {
  const [tree, nodes] = await Promise.all([readRunTree(store, run.id, graph), run.nodes()]);
  const reports = new Map(nodes.map((node) => [node.node, progressOf(node)]));
  const told = (node: ShownNode): ShownNode => {
    const progress = reports.get(node.node);
    return progress ? { ...node, progress } : node;
  };
  return { ...tree, nodes: tree.nodes.map(told) };
}

function progressOf({ progress }: NodeStatus & Pick<ShownNode, 'progress'>): ShownNode['progress'] {
  return progress;
}
