import type { Fault } from './check-options.js';
import { isGraph } from './definition.js';
import type { GraphDefinition, SpawnsDefinition } from './node-definition.js';
import type { Spawns } from './spawn.js';

/** The fault of what is no list of graphs; of a function, when its graphs are asked for. An empty list is none. */
export function spawnsOf(spawns: Spawns | undefined, fault: Fault): SpawnsDefinition | null {
  if (spawns === undefined) return null;
  if (typeof spawns === 'function') {
    return Object.freeze({ names: null, graphs: () => toGraphs(spawns(), fault) });
  }
  const graphs = toGraphs(spawns, fault);
  if (graphs.length === 0) return null;
  return Object.freeze({
    names: Object.freeze(graphs.map(({ name }) => name)),
    graphs: () => graphs,
  });
}

function toGraphs(value: unknown, fault: Fault): readonly GraphDefinition[] {
  if (Array.isArray(value) && value.every(isGraph)) return Object.freeze([...value]);
  throw fault(
    'spawns must be an array of graphs, or a function that returns one: what outputs() of their builders returned',
  );
}
