import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Builder, graph } from '../../../src/graph/builder.js';
import {
  anyOf,
  type Dependencies,
  onFailure,
  optional,
  orderOnly,
  settled,
} from '../../../src/graph/edges.js';
import type { Node } from '../../../src/graph/node.js';
import type { Spawns } from '../../../src/graph/spawn.js';

type Shape = (g: Builder<void, void>) => Dependencies;

const one = () => 1;
const list = () => [1];

function hashOf(shape: Shape, name = 'etl', version = 1): string {
  const g = graph(name, { version });
  return g.outputs(shape(g)).hash;
}

/** A shape that has something of everything. */
const base: Shape = (g) => {
  const a = g.task('a', { run: list });
  const b = g.map('b', { over: a, run: one });
  const c = g.task('c', { after: { a, b }, action: 'mail' });
  return { b, c };
};

describe('the hash of a shape', () => {
  it('stays what it is from release to release', () => {
    expect(hashOf(base)).toBe('cf6fd644afa05712aefd2d1790a9a353');
  });

  it.each<[string, Shape]>([
    [
      'functions, schemas and settings',
      (g) => {
        const a = g.task('a', { run: () => [2], if: () => false, retries: 9, queue: 'slow' });
        const b = g.map('b', { over: a, concurrency: 3, failAfter: { ratio: 0.5 }, run: list });
        const c = g.task('c', { after: { a, b }, action: 'mail', output: { type: 'number' } });
        return { b, c };
      },
    ],
    [
      'the order of dependencies and outputs',
      (g) => {
        const a = g.task('a', { run: list });
        const b = g.map('b', { over: a, run: one });
        const c = g.task('c', { after: { b, a }, action: 'mail' });
        return { c, b };
      },
    ],
  ])('does not depend on %s', (_, shape) => {
    expect(hashOf(shape)).toBe(hashOf(base));
  });

  it('depends on whether nodes spawn, and on the names of what they spawn, in no order', () => {
    const named = (name: string, version = 1) => graph(name, { version }).outputs({});
    const spawning =
      (spawns: Spawns): Shape =>
      (g) => ({ a: g.task('a', { spawns, run: one }) });
    const [x, y] = [named('x'), named('y')];
    const plain = hashOf((g) => ({ a: g.task('a', { run: one }) }));
    expect(hashOf(spawning([]))).toBe(plain);
    const hashes = [plain, ...[[x], [y], [x, y], () => [x]].map((it) => hashOf(spawning(it)))];
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hashOf(spawning([y, x]))).toBe(hashOf(spawning([x, y])));
    expect(hashOf(spawning([named('x', 2)]))).toBe(hashOf(spawning([x])));
  });

  it('does not depend on the name and version of the graph, but on those within it', () => {
    expect(hashOf(base, 'other', 7)).toBe(hashOf(base));
    const within = (name: string, outputs: boolean) =>
      hashOf((g) => {
        const inner = graph(name);
        const a = inner.task('a', { run: one });
        g.graph('sub', { graph: inner.outputs(outputs ? { a } : {}) });
        return {};
      });
    expect(new Set([within('x', true), within('y', true), within('x', false)]).size).toBe(3);
  });

  it('tells shapes apart that differ in anything else', () => {
    const pair = (make: (a: Node<number[]>, b: Node<number[]>) => Dependencies): Shape => {
      return (g) => {
        const a = g.task('a', { run: list });
        const b = g.task('b', { run: list });
        g.task('c', { after: make(a, b), run: one });
        return {};
      };
    };
    const shapes: Shape[] = [
      base,
      () => ({}),
      pair(() => ({})),
      pair((a) => ({ a })),
      pair((_, b) => ({ a: b })),
      pair((a) => ({ b: a })),
      pair((a, b) => ({ a, b })),
      pair((a) => ({ a: optional(a) })),
      pair((a) => ({ a: settled(a) })),
      pair((a) => ({ a: onFailure(a) })),
      pair((a) => ({ a: anyOf(a) })),
      pair((a) => ({ a: orderOnly(a) })),
      pair((a) => ({ a: orderOnly(optional(a)) })),
      pair((a, b) => ({ a: anyOf(a, b) })),
      pair((a, b) => ({ a: anyOf(b, a) })),
      (g) => ({ a: g.task('a', { run: one }) }),
      (g) => ({ b: g.task('a', { run: one }) }),
      (g) => ({ a: optional(g.task('a', { run: one })) }),
      (g) => ({ a: g.task('a', { action: 'x' }) }),
      (g) => ({ a: g.task('a', { action: 'y' }) }),
      (g) => ({ a: g.event('a') }),
      (g) => ({ a: g.sleep('a', 1) }),
    ];
    expect(new Set(shapes.map((shape) => hashOf(shape))).size).toBe(shapes.length);
  });

  it('does not depend on the order in which nodes are added', () => {
    fc.assert(
      fc.property(shuffledDags, ({ parents, priorities }) => {
        const inOrder = parents.map((_, node) => node);
        expect(dagHash(parents, orderBy(parents, priorities))).toBe(dagHash(parents, inOrder));
      }),
    );
  });
});

/** Each node's parents have lower numbers. */
type Parents = readonly (readonly number[])[];

const shuffledDags = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.record({
    parents: fc.tuple(
      ...Array.from({ length: size }, (_, node) =>
        fc.uniqueArray(fc.integer({ min: 0, max: Math.max(0, node - 1) }), {
          maxLength: Math.min(node, 3),
        }),
      ),
    ),
    priorities: fc.array(fc.integer(), { minLength: size, maxLength: size }),
  }),
);

/** An order in which every node comes after its parents, and which `priorities` choose among all such. */
function orderBy(parents: Parents, priorities: readonly number[]): number[] {
  const order: number[] = [];
  while (order.length < parents.length) {
    const ready = parents.flatMap((of, node) =>
      !order.includes(node) && of.every((parent) => order.includes(parent)) ? [node] : [],
    );
    ready.sort((a, b) => (priorities[a] ?? 0) - (priorities[b] ?? 0));
    order.push(...ready.slice(0, 1));
  }
  return order;
}

function dagHash(parents: Parents, order: readonly number[]): string {
  return hashOf((g) => {
    const nodes = new Map<number, Node<number>>();
    for (const node of order) {
      const after = Object.fromEntries(
        (parents[node] ?? []).flatMap((parent): [string, Node<number>][] => {
          const handle = nodes.get(parent);
          return handle ? [[`n${parent}`, handle]] : [];
        }),
      );
      nodes.set(node, g.task(`n${node}`, { after, run: one }));
    }
    return {};
  });
}
