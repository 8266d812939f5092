import { createHash } from 'node:crypto';
import {
  type EdgeDefinition,
  edgesOf,
  type NodeDefinition,
  type SpawnsDefinition,
} from './node-definition.js';

/** 128 bits, in hexadecimal. */
const HASH_CHARACTERS = 32;

/**
 * Tells shapes of graphs apart: the same for two graphs whose runs have the same tasks with the same dependencies.
 *
 * Of the shape: ids, kinds, what edges connect, their names and modes, actions that are named, sub-graphs with their names
 * and shapes, the names of graphs that are spawned, outputs. Not of it: the order of declaration, of `after` and of outputs; functions and schemas; what can
 * be tuned under way (retries, limits, time-outs); the graph's own name and version, which are kept beside the hash.
 */
export function shapeHash(
  nodes: readonly NodeDefinition[],
  outputs: readonly EdgeDefinition[],
): string {
  const shape = [sorted(nodes.map(shapeOfNode)), sorted(outputs.map(shapeOfEdge))];
  return createHash('sha256').update(JSON.stringify(shape)).digest('hex').slice(0, HASH_CHARACTERS);
}

function shapeOfNode(node: NodeDefinition): string {
  return JSON.stringify([
    node.id,
    node.kind,
    detailOf(node),
    sorted(edgesOf(node).map(shapeOfEdge)),
  ]);
}

function detailOf(node: NodeDefinition): unknown {
  if (node.kind === 'task') {
    return node.spawns ? [node.action, shapeOfSpawns(node.spawns)] : node.action;
  }
  if (node.kind === 'map') {
    const shape = [node.action, node.isZipped];
    return node.spawns ? [...shape, shapeOfSpawns(node.spawns)] : shape;
  }
  if (node.kind === 'graph') return [node.graph.name, node.graph.hash];
  return null;
}

/** By names: a spawned run has the version and hash of its own graph. A function cannot be asked while the graph is defined. */
function shapeOfSpawns({ names }: SpawnsDefinition): unknown {
  return { spawns: names && sorted(names) };
}

/** The order of an edge's nodes is part of the shape: the first that fits gives the value. */
function shapeOfEdge({ name, mode, isHidden, nodes }: EdgeDefinition): string {
  return JSON.stringify([name, mode, isHidden, nodes]);
}

/** By code units, which no locale changes. */
function sorted(shapes: readonly string[]): string[] {
  return [...shapes].sort();
}
