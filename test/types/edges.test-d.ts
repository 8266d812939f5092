// Checked by `tsc -p test`, never run: what each modifier hands on.
import { expectTypeOf } from 'vitest';
import {
  anyOf,
  type Collected,
  type Failure,
  graph,
  onFailure,
  optional,
  orderOnly,
  type Settled,
  settled,
} from '../../src/index.js';

const g = graph('edges');
const a = g.task('a', { run: () => ({ n: 1 }) });
const b = g.task('b', { run: () => 'b' });
const maybe = g.task('maybe', { run: (): string | undefined => undefined });
const many = g.map('many', { over: g.task('list', { run: () => [1] }), run: ({ item }) => item });

g.task('join', {
  after: {
    a,
    many,
    kept: maybe,
    optional: optional(a),
    settled: settled(a),
    settledMany: settled(many),
    failed: onFailure(a, b),
    any: anyOf(a, b),
    order: orderOnly(a),
    orderSettled: orderOnly(settled(a)),
  },
  run: ({ deps }) => {
    expectTypeOf<keyof typeof deps>().toEqualTypeOf<
      'a' | 'many' | 'kept' | 'optional' | 'settled' | 'settledMany' | 'failed' | 'any'
    >();
    expectTypeOf(deps.a).toEqualTypeOf<{ n: number }>();
    expectTypeOf(deps.many).toEqualTypeOf<Collected<number>>();
    expectTypeOf(deps.kept).toEqualTypeOf<string | undefined>();
    expectTypeOf(deps.optional).toEqualTypeOf<{ n: number } | undefined>();
    expectTypeOf(deps.settled).toEqualTypeOf<Settled<{ n: number }>>();
    expectTypeOf(deps.settledMany).toEqualTypeOf<Settled<Collected<number>>>();
    expectTypeOf(deps.failed).toEqualTypeOf<Failure>();
    expectTypeOf(deps.any).toEqualTypeOf<{ n: number } | string>();
    // @ts-expect-error it only orders
    deps.order;
    // @ts-expect-error it only orders
    deps.orderSettled;
    // @ts-expect-error it may not have completed
    deps.optional.n;
    // @ts-expect-error deps are read only
    deps.a = { n: 2 };
  },
});

g.task('narrows', {
  after: { a: settled(a) },
  run: ({ deps }) => {
    switch (deps.a.status) {
      case 'completed':
        return deps.a.value.n;
      case 'failed':
        return deps.a.error.length;
      case 'skipped':
      case 'cancelled':
        return deps.a.reason.length;
    }
  },
});

// @ts-expect-error at least one
anyOf();
// @ts-expect-error at least one
onFailure();
// @ts-expect-error a modifier modifies a node
optional(settled(a));
