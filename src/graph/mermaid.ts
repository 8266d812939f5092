import {
  type DrawnEdge,
  type DrawOptions,
  drawnEdges,
  drawnStates,
  labelOf,
  type NodeState,
  STATE_COLOURS,
} from './drawing.js';
import type { GraphDefinition, NodeDefinition } from './node-definition.js';

const SHAPES: Readonly<Record<NodeDefinition['kind'], readonly [open: string, close: string]>> = {
  task: ['[', ']'],
  map: ['[/', '/]'],
  graph: ['[[', ']]'],
  event: ['{{', '}}'],
  sleep: ['([', '])'],
};

const ARROWS: Readonly<Record<DrawnEdge['style'], string>> = {
  plain: '-->',
  weak: '-.->',
  items: '==>',
};

/** The graph as a Mermaid flowchart. Nodes are numbered, so that ids may hold anything. */
export function toMermaid(graph: GraphDefinition, options: DrawOptions = {}): string {
  const nodes = graph.nodes.map((node, place) => {
    const [open, close] = SHAPES[node.kind];
    return `  n${place}${open}"${toEntities(labelOf(node))}"${close}`;
  });
  const edges = drawnEdges(graph).map(({ from, to, label, style }) => {
    const text = label === '' ? '' : `|${label}|`;
    return `  n${from} ${ARROWS[style]}${text} n${to}`;
  });
  const states = drawnStates(graph, options);
  const classes = states.map(([place, state]) => `  class n${place} ${classOf(state)}`);
  const used = [...new Set(states.map(([, state]) => state))].sort();
  const looks = used.map((state) => {
    return `  classDef ${classOf(state)} fill:${STATE_COLOURS[state]},color:#000`;
  });
  return `${['flowchart TD', ...nodes, ...edges, ...looks, ...classes].join('\n')}\n`;
}

/** Mermaid reads a hyphen as part of an arrow in some places. */
function classOf(state: NodeState): string {
  return state.replace('-', '_');
}

/** Everything that could mean something to Mermaid or to HTML becomes a numeric entity, as Mermaid writes them. */
function toEntities(label: string): string {
  return label.replace(/[^\p{L}\p{N} _\-.,:]/gu, (character) => `#${character.codePointAt(0)};`);
}
