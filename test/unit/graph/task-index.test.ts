import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TaskIndex } from '../../../src/graph/task-index.js';

const id = fc.oneof(
  fc.constantFrom('a', 'b', 'ab', 'é', '😀', 'x'.repeat(100)),
  fc.string({ unit: 'binary', minLength: 1 }),
);
const batch = fc.array(fc.record({ id, targets: fc.array(id, { maxLength: 5 }) }), {
  maxLength: 60,
});

test('the index agrees with maps and sets about rows, signals, edges and duplicates', () => {
  fc.assert(
    fc.property(batch, fc.integer(), (tasks, seed) => {
      const index = new TaskIndex(seed);
      const rows = new Map<string, number>();
      const signals = new Map<string, number>();
      const duplicates = new Set<string>();
      tasks.forEach((task, row) => {
        const targets = new Set(task.targets);
        expect(index.add(task.id, task.targets)).toBe(targets.size);
        if (rows.has(task.id)) duplicates.add(task.id);
        else rows.set(task.id, row);
        for (const target of targets) signals.set(target, (signals.get(target) ?? 0) + 1);
        const edges = Array.from({ length: targets.size }, (_, i) => index.edgesFrom(row) + i);
        expect(edges.map((edge) => index.idOf(index.targetOf(edge)))).toEqual([...targets]);
        expect(index.idOf(index.nodeOf(row))).toBe(task.id);
      });
      expect(new Set(Array.from(index.duplicates, (node) => index.idOf(node)))).toEqual(duplicates);
      expect(index.numNodes).toBe(new Set([...rows.keys(), ...signals.keys()]).size);
      for (let node = 0; node < index.numNodes; node++) {
        expect(index.rowOf(node)).toBe(rows.get(index.idOf(node)) ?? -1);
        expect(index.signalsOf(node)).toBe(signals.get(index.idOf(node)) ?? 0);
      }
    }),
  );
});

test('nodes compare as the bytes of their ids do', () => {
  fc.assert(
    fc.property(fc.uniqueArray(id, { minLength: 2, maxLength: 10 }), (ids) => {
      const index = new TaskIndex();
      for (const one of ids) index.add(one, []);
      const nodes = ids.map((_, i) => i).sort((a, b) => index.compare(a, b));
      const expected = [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(nodes.map((node) => index.idOf(node))).toEqual(expected);
    }),
  );
});

test('ids that follow a pattern are spread well enough to be added in no time', () => {
  const index = new TaskIndex();
  for (let i = 0; i < 100_000; i++) index.add(`${i}`.padStart(40, '0'), []);
  expect(index.numNodes).toBe(100_000);
  expect(index.duplicates.size).toBe(0);
});

test('the edges of the last row end at edgesFrom(numTasks)', () => {
  const index = new TaskIndex();
  expect(index.edgesFrom(0)).toBe(0);
  index.add('a', ['b', 'c']);
  index.add('b', ['c']);
  expect([index.edgesFrom(0), index.edgesFrom(1), index.edgesFrom(2)]).toEqual([0, 2, 3]);
});
