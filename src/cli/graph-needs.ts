import type { GraphDefinition } from '../graph/node-definition.js';
import { UsageError } from './cli-errors.js';
import type { Handlers } from './modules.js';

const DEFAULT_QUEUE = 'default';

/** The queues that runs of these graphs are in. */
export function queuesOf(graphs: readonly GraphDefinition[]): string[] {
  const queues = new Set([DEFAULT_QUEUE]);
  for (const graph of graphs) {
    for (const node of graph.nodes) {
      if (node.kind === 'graph') for (const queue of queuesOf([node.graph])) queues.add(queue);
      if (!('settings' in node)) continue;
      if (node.settings.queue !== null) queues.add(node.settings.queue);
    }
  }
  return [...queues];
}

/** UsageError for a node that names an action that nobody here performs: the run would never end. */
export function checkHandlers(graph: GraphDefinition, handlers: Handlers, path = ''): void {
  for (const node of graph.nodes) {
    if (node.kind === 'graph') checkHandlers(node.graph, handlers, `${path}${node.id}/`);
    if (!('action' in node) || node.action === null) continue;
    if (Object.hasOwn(handlers, node.action)) continue;
    const known = Object.keys(handlers).sort().join(', ') || 'none';
    throw new UsageError(
      `Nobody performs the action ${JSON.stringify(node.action)} of node ${JSON.stringify(path + node.id)}. ` +
        `Name a module that exports a handler of that name: --handlers MODULE; or leave it to other workers: --detach. Known are: ${known}.`,
    );
  }
}
