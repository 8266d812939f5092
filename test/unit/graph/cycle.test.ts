import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findCycle, type Graph } from '../../../src/graph/cycle.js';

const LONG = 1_000_000;

function graphOf(targets: readonly (readonly number[])[]): Graph {
  const edges = targets.flat();
  const starts = [0];
  for (const list of targets) starts.push((starts.at(-1) ?? 0) + list.length);
  return {
    size: targets.length,
    edgesFrom: (node) => starts[node] ?? Number.NaN,
    targetOf: (edge) => edges[edge] ?? Number.NaN,
  };
}

/** Node i points at i + 1, the last one at `last`. */
function chain(size: number, last: number): Graph {
  return {
    size,
    edgesFrom: (node) => node,
    targetOf: (edge) => (edge + 1 < size ? edge + 1 : last),
  };
}

function reaches(targets: readonly (readonly number[])[], from: number, to: number): boolean {
  const seen = new Set<number>();
  const open = [...(targets[from] ?? [])];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node === to) return true;
    if (!seen.has(node)) open.push(...(targets[node] ?? []));
    seen.add(node);
  }
  return false;
}

const graph = fc.integer({ min: 0, max: 12 }).chain((size) => {
  const target = fc.integer({ min: -1, max: Math.max(size - 1, 0) });
  const targets = fc.array(target, { maxLength: 2 });
  return fc.array(targets, { minLength: size, maxLength: size });
});

test('a cycle is found exactly when some node reaches itself, and is one', () => {
  const seen = { cyclic: 0, acyclic: 0 };
  fc.assert(
    fc.property(graph, (targets) => {
      const cycle = findCycle(graphOf(targets));
      const expected = targets.some((_, node) => reaches(targets, node, node));
      expect(cycle !== null).toBe(expected);
      seen[expected ? 'cyclic' : 'acyclic']++;
      if (cycle === null) return;
      expect(new Set(cycle).size).toBe(cycle.length);
      cycle.forEach((node, i) => {
        expect(targets[node]).toContain(cycle[(i + 1) % cycle.length]);
      });
    }),
    { numRuns: 2000 },
  );
  expect(Math.min(seen.cyclic, seen.acyclic)).toBeGreaterThan(100);
});

test('an edge from a node to itself is a cycle of one', () => {
  expect(findCycle(graphOf([[1], [1]]))).toEqual([1]);
});

test('nodes before and behind a cycle are not part of it', () => {
  expect(findCycle(graphOf([[1], [2, 4], [3], [1], [5], []]))?.sort()).toEqual([1, 2, 3]);
});

test('an empty graph has no cycle', () => {
  expect(findCycle(graphOf([]))).toBeNull();
});

test('edges that leave the graph close no cycle', () => {
  expect(findCycle(graphOf([[1, -1], [-1]]))).toBeNull();
});

test('a chain of a million is no cycle, and takes no recursion', () => {
  expect(findCycle(chain(LONG, -1))).toBeNull();
});

test('a ring of a million is a cycle of a million', () => {
  expect(findCycle(chain(LONG, 0))).toHaveLength(LONG);
});
