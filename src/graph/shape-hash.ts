import { createHash } from 'node:crypto';
import { type EdgeDefinition, edgesOf, type NodeDefinition } from './node-definition.js';

/** 128 bits, in hexadecimal. */
const HASH_CHARACTERS = 32;

/**
 * Tells shapes of graphs apart: the same for two graphs whose runs have the same tasks with the same dependencies.
 *
 * Of the shape: ids, kinds, what edges connect, their names and modes, actions that are named, sub-graphs with their names
 * and shapes, outputs. Not of it: the order of declaration, of `after` and of outputs; functions and schemas; what can
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
  if (node.kind === 'task') return node.action;
  if (node.kind === 'map') return [node.action, node.isZipped];
  if (node.kind === 'graph') return [node.graph.name, node.graph.hash];
  return null;
}

/** The order of an edge's nodes is part of the shape: the first that fits gives the value. */
function shapeOfEdge({ name, mode, isHidden, nodes }: EdgeDefinition): string {
  return JSON.stringify([name, mode, isHidden, nodes]);
}

/** By code units, which no locale changes. */
function sorted(shapes: readonly string[]): string[] {
  return [...shapes].sort();
}
