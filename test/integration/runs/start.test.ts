import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type Graph,
  graph,
  RunFailedError,
  RunInputMismatchError,
  startRun,
  typed,
} from '../../../src/index.js';
import { range, rejection } from '../../support/factories.js';
import { startWorker } from '../../support/run-graphs.js';
import { useTestBox } from '../../support/test-box.js';

const t = useTestBox();
const WAIT = { timeoutMs: 20_000 };

async function countRows(graphName: string): Promise<number> {
  const { rows } = await t.pool.query('select count(*)::int as n from task where id like $1', [
    `%${graphName}/%`,
  ]);
  return rows[0].n;
}

interface Order {
  readonly lines: readonly { readonly n: number }[];
}

const ofZod = z.object({ lines: z.array(z.object({ n: z.number() })) });
const schemas = {
  'a JSON Schema': typed<Order>({
    properties: { lines: { items: { properties: { n: { type: 'number' } } } } },
  }),
  'a Standard Schema (zod)': ofZod,
  'a Standard Schema that answers later': ofZod.refine(async () => true),
};
const BAD = JSON.parse('{ "lines": [{ "n": 1 }, { "n": "two" }] }') as Order;

describe.each(Object.entries(schemas))('%s', (_, schema) => {
  it('refuses a bad input, with its path, before anything is inserted', async () => {
    const g = graph('refusing', { input: schema });
    const definition = g.outputs({ a: g.task('a', { run: ({ input }) => input.lines.length }) });
    const error = await rejection(startRun(t.box, definition, BAD));
    expect(error).toMatchObject({ code: 'INVALID_VALUE' });
    expect(String(error)).toContain('/lines/1/n');
    expect(await countRows('refusing')).toBe(0);
  });

  it('fails a node at its first try whose output does not fit, with the path', async () => {
    const store = t.namespace();
    const g = graph('misfit');
    const a = g.task('a', { output: schema, retries: 3, run: () => BAD });
    const definition = g.outputs({ a });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined, { runId: '1' });
    const error = await rejection(run.result(WAIT));
    expect(error).toBeInstanceOf(RunFailedError);
    expect(String(error)).toContain('output of node "a" does not fit its schema: /lines/1/n');
    expect(await store.getTask('misfit/1/a')).toMatchObject({ numTries: 1, statusCode: 'aborted' });
  });
});

it('an input is stored as its schema made it', async () => {
  const store = t.namespace();
  const g = graph('filled', { input: z.object({ depth: z.number().default(3) }) });
  const definition = g.outputs({ a: g.task('a', { run: ({ input }) => input.depth }) });
  await startWorker(store, [definition]);
  expect(await (await startRun(store, definition, {})).result(WAIT)).toEqual({ a: 3 });
});

/** A chain of so many tasks. */
function chain(size: number): Graph<{ n: number }, unknown> {
  const g = graph<{ n: number }>('chain');
  let last = g.task('t0', { run: ({ input }) => input.n });
  for (const i of range(size).slice(1)) {
    last = g.task(`t${i}`, { after: { last }, run: ({ deps }) => deps.last });
  }
  return g.outputs({ last });
}

describe('a start', () => {
  it('is one COPY, in the transaction of its caller, which takes it back', async () => {
    const client = await t.pool.connect();
    const copies: string[] = [];
    const query: unknown = client.query.bind(client);
    const spy = (...args: unknown[]) => {
      const [given] = args;
      const text = typeof given === 'string' ? given : Reflect.get(Object(given), 'text');
      if (/^\s*copy\b/i.test(String(text))) copies.push(String(text));
      return Reflect.apply(query as () => unknown, client, args);
    };
    client.query = spy as pg.PoolClient['query'];
    await client.query('begin');
    await startRun(t.box, chain(300), { n: 1 }, { tx: client });
    const { rows } = await client.query(
      "select count(*)::int as n from task where id like 'chain/%'",
    );
    expect(rows[0].n).toBe(301);
    expect(copies).toHaveLength(1);
    expect(await countRows('chain')).toBe(0);
    await client.query('rollback');
    client.release(true);
    expect(await countRows('chain')).toBe(0);
    const { rows: ready } = await t.pool.query('select id from ready');
    expect(ready).toEqual([]);
  });

  it('raced sixteen times for one idempotency key is one run', async () => {
    const boxes = [t.box, await t.another()];
    const definition = chain(20);
    const start = (i: number, n: number) =>
      startRun(boxes[i % 2] ?? t.box, definition, { n }, { idempotencyKey: 'order-7' });
    const runs = await Promise.all(range(16).map((i) => start(i, 1)));
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
    expect(await countRows('chain')).toBe(21);
    const others = await Promise.all(range(16).map((i) => rejection(start(i, 2))));
    for (const error of others) expect(error).toBeInstanceOf(RunInputMismatchError);
    expect(await countRows('chain')).toBe(21);
    await runs[0]?.delete();
  });
});
