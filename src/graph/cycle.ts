import { IntList } from './int-list.js';

/** A directed graph over the nodes 0 to `size - 1`. */
export interface Graph {
  readonly size: number;
  /** The edges of a node are numbered from `edgesFrom(node)` to below `edgesFrom(node + 1)`. */
  edgesFrom(node: number): number;
  /** The node an edge points at; negative if that is outside the graph. */
  targetOf(edge: number): number;
}

/**
 * Finds a cycle and returns its nodes in the order of the edges, or null if there is none.
 *
 * Kahn's algorithm: takes away node after node that no edge points at. What is left consists of cycles and what
 * is downstream of them, and each node left has a predecessor that is left too. So walking backwards from
 * any of them never ends, and closes a cycle. Linear in nodes and edges, without recursion.
 */
export function findCycle(graph: Graph): number[] | null {
  const incoming = countIncoming(graph);
  const numTaken = takeAwayFree(graph, incoming);
  if (numTaken === graph.size) return null;
  return walkBack(pickPredecessors(graph, incoming));
}

function countIncoming(graph: Graph): IntList {
  const incoming = IntList.zeros(graph.size);
  const numEdges = graph.edgesFrom(graph.size);
  for (let edge = 0; edge < numEdges; edge++) {
    const target = graph.targetOf(edge);
    if (target >= 0) incoming.add(target, 1);
  }
  return incoming;
}

/** Returns how many nodes could be taken; `incoming` stays positive for the others. */
function takeAwayFree(graph: Graph, incoming: IntList): number {
  const free = new IntList();
  for (let node = 0; node < graph.size; node++) if (incoming.at(node) === 0) free.push(node);
  for (let next = 0; next < free.length; next++) {
    const node = free.at(next);
    const end = graph.edgesFrom(node + 1);
    for (let edge = graph.edgesFrom(node); edge < end; edge++) {
      const target = graph.targetOf(edge);
      if (target < 0) continue;
      incoming.add(target, -1);
      if (incoming.at(target) === 0) free.push(target);
    }
  }
  return free.length;
}

const NONE = -1;

/** For each node that is left, one node that is left and points at it. */
function pickPredecessors(graph: Graph, incoming: IntList): IntList {
  const predecessors = new IntList(graph.size);
  for (let node = 0; node < graph.size; node++) predecessors.push(NONE);
  for (let node = 0; node < graph.size; node++) {
    if (incoming.at(node) === 0) continue;
    const end = graph.edgesFrom(node + 1);
    for (let edge = graph.edgesFrom(node); edge < end; edge++) {
      const target = graph.targetOf(edge);
      if (target >= 0 && incoming.at(target) > 0) predecessors.set(target, node);
    }
  }
  return predecessors;
}

function walkBack(predecessors: IntList): number[] {
  let node = 0;
  while (predecessors.at(node) === NONE) node++;
  const isVisited = new Uint8Array(predecessors.length);
  for (; isVisited[node] === 0; node = predecessors.at(node)) isVisited[node] = 1;
  const cycle = [node];
  for (let at = predecessors.at(node); at !== node; at = predecessors.at(at)) cycle.push(at);
  return cycle.reverse();
}
