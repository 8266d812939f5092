import {
  type EdgeDefinition,
  edgesOf,
  type GraphDefinition,
  type NodeDefinition,
} from './node-definition.js';

/** States of a run's nodes, to be shown in a drawing. */
export type NodeState =
  | 'pending'
  | 'in-progress'
  | 'completed'
  | 'aborted'
  | 'skipped'
  | 'cancelled';

export interface DrawOptions {
  /** By the ids of nodes; those left out are drawn plain. */
  readonly states?: Readonly<Record<string, NodeState>>;
}

/** A line between two nodes; `label` is empty where the edge is plain. */
export interface DrawnEdge {
  readonly from: number;
  readonly to: number;
  readonly label: string;
  readonly style: 'plain' | 'weak' | 'items';
}

/** Fill colours that can be told apart in grey too: states differ in brightness. */
export const STATE_COLOURS: Readonly<Record<NodeState, string>> = {
  pending: '#f5f5f5',
  'in-progress': '#bbdefb',
  completed: '#c8e6c9',
  aborted: '#ef9a9a',
  skipped: '#e0e0e0',
  cancelled: '#ffe0b2',
};

const MODE_LABELS: Readonly<Record<EdgeDefinition['mode'], string>> = {
  required: '',
  optional: 'optional',
  settled: 'settled',
  failure: 'on failure',
  any: 'any of',
};

/** All edges, by the places of their nodes. */
export function drawnEdges({ nodes }: GraphDefinition): DrawnEdge[] {
  const places = new Map(nodes.map(({ id }, place) => [id, place]));
  return nodes.flatMap((node, to) =>
    edgesOf(node).flatMap((edge) =>
      edge.nodes.map((id) => ({ from: places.get(id) ?? 0, to, ...lookOf(node, edge) })),
    ),
  );
}

function lookOf(node: NodeDefinition, edge: EdgeDefinition): Pick<DrawnEdge, 'label' | 'style'> {
  if (node.kind === 'map' && edge === node.over) {
    return { label: node.isZipped ? 'item by item' : 'over', style: 'items' };
  }
  const labels = [edge.isHidden ? 'order only' : '', MODE_LABELS[edge.mode]];
  const label = labels.filter((part) => part !== '').join(', ');
  return { label, style: label === '' ? 'plain' : 'weak' };
}

/** What is written in a node. */
export function labelOf(node: NodeDefinition): string {
  if (node.kind === 'graph') return `${node.id}: ${node.graph.name} v${node.graph.version}`;
  if (node.kind === 'sleep' && typeof node.time === 'number') return `${node.id}: ${node.time} ms`;
  if ((node.kind === 'task' || node.kind === 'map') && node.spawns) {
    const names = node.spawns.graphs().map(({ name, version }) => `${name} v${version}`);
    return `${node.id}, spawns ${names.join(', ')}`;
  }
  return node.id;
}

/** The state of each node that has one, by its place. */
export function drawnStates(
  { nodes }: GraphDefinition,
  { states = {} }: DrawOptions,
): [place: number, state: NodeState][] {
  return nodes.flatMap(({ id }, place): [number, NodeState][] => {
    const state = Object.hasOwn(states, id) ? states[id] : undefined;
    return state ? [[place, state]] : [];
  });
}
