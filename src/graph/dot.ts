import {
  type DrawnEdge,
  type DrawOptions,
  drawnEdges,
  drawnStates,
  labelOf,
  STATE_COLOURS,
} from './drawing.js';
import type { GraphDefinition, NodeDefinition } from './node-definition.js';

const SHAPES: Readonly<Record<NodeDefinition['kind'], string>> = {
  task: 'box',
  map: 'box3d',
  graph: 'component',
  event: 'hexagon',
  sleep: 'ellipse',
};

const STYLES: Readonly<Record<DrawnEdge['style'], string>> = {
  plain: 'solid',
  weak: 'dashed',
  items: 'bold',
};

/** The graph in Graphviz' DOT. Nodes are numbered, so that ids may hold anything. */
export function toDot(graph: GraphDefinition, options: DrawOptions = {}): string {
  const fills = new Map(drawnStates(graph, options));
  const nodes = graph.nodes.map((node, place) => {
    const state = fills.get(place);
    const fill = state ? `, style=filled, fillcolor="${STATE_COLOURS[state]}"` : '';
    return `  n${place} [label=${quote(labelOf(node))}, shape=${SHAPES[node.kind]}${fill}];`;
  });
  const edges = drawnEdges(graph).map(({ from, to, label, style }) => {
    const text = label === '' ? '' : `label=${quote(label)}, `;
    return `  n${from} -> n${to} [${text}style=${STYLES[style]}];`;
  });
  return `${[`digraph ${quote(graph.name)} {`, ...nodes, ...edges, '}'].join('\n')}\n`;
}

/** In DOT a backslash begins an escape even where it is not followed by a quote: `\N` is the node's name. */
function quote(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replace(/\r?\n|\r/g, '\\n');
  return `"${escaped}"`;
}
