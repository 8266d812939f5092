import { CycleError, DuplicateTaskError } from '../errors.js';
import { findCycle } from './cycle.js';
import { IntList } from './int-list.js';
import type { TaskIndex } from './task-index.js';

/**
 * Checks what can be checked of a batch without a database, and returns what cannot: the nodes that are targets but not
 * tasks of the batch, in the order of their ids' bytes.
 *
 * Throws DuplicateTaskError with every id that occurs twice, else CycleError with the ids of one cycle. A task
 * that lists itself is a cycle of one.
 */
export function checkBatch(index: TaskIndex): Int32Array {
  if (index.duplicates.size > 0) {
    throw new DuplicateTaskError(Array.from(index.duplicates, (node) => index.idOf(node)));
  }
  const cycle = findCycleOfRows(index);
  if (cycle !== null) throw new CycleError(cycle.map((row) => index.idOf(index.nodeOf(row))));
  return outsideTargets(index);
}

/** Rows, not nodes: the index keeps edges in the order of the rows that have them. */
function findCycleOfRows(index: TaskIndex): number[] | null {
  if (index.numEdges === 0) return null;
  const targets = new IntList(index.numEdges);
  for (let edge = 0; edge < index.numEdges; edge++) {
    targets.push(index.rowOf(index.targetOf(edge)));
  }
  return findCycle({
    size: index.numTasks,
    edgesFrom: (row) => index.edgesFrom(row),
    targetOf: (edge) => targets.at(edge),
  });
}

function outsideTargets(index: TaskIndex): Int32Array {
  const outside = new Int32Array(index.numNodes - index.numTasks);
  let found = 0;
  for (let node = 0; node < index.numNodes; node++) {
    if (index.rowOf(node) < 0) outside[found++] = node;
  }
  return outside.sort((a, b) => index.compare(a, b));
}

/** The share of edges whose target stands before the task that lists it. */
export function shareOfEdgesBack(index: TaskIndex): number {
  let numBack = 0;
  for (let row = 0; row < index.numTasks; row++) {
    for (let edge = index.edgesFrom(row); edge < index.edgesFrom(row + 1); edge++) {
      const target = index.rowOf(index.targetOf(edge));
      if (target >= 0 && target < row) numBack++;
    }
  }
  return numBack === 0 ? 0 : numBack / index.numEdges;
}
