import type { GraphDefinition } from '../graph/node-definition.js';

/** These graphs, and all whose runs runs of them may spawn, through sub-graphs and however far down. Each once. */
export function reachableGraphs(graphs: Iterable<GraphDefinition>): ReadonlySet<GraphDefinition> {
  const reached = new Set<GraphDefinition>();
  const queue = [...graphs];
  for (let graph = queue.pop(); graph !== undefined; graph = queue.pop()) {
    if (reached.has(graph)) continue;
    reached.add(graph);
    queue.push(...spawnedBy(graph));
  }
  return reached;
}

function spawnedBy({ nodes }: GraphDefinition): GraphDefinition[] {
  return nodes.flatMap((node) => {
    if (node.kind === 'graph') return spawnedBy(node.graph);
    if (node.kind !== 'task' && node.kind !== 'map') return [];
    return [...(node.spawns?.graphs() ?? [])];
  });
}
