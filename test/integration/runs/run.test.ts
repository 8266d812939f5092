import { describe, expect, it } from 'vitest';
import {
  anyOf,
  graph,
  InvalidValueError,
  onFailure,
  optional,
  orderOnly,
  PermanentError,
  RunExistsError,
  RunFailedError,
  RunInputMismatchError,
  settled,
  startRun,
  typed,
} from '../../../src/index.js';
import { listedIds, range, rejection } from '../../support/factories.js';
import { startWorker } from '../../support/run-graphs.js';
import { useTestBox } from '../../support/test-box.js';

const t = useTestBox();
const WAIT = { timeoutMs: 20_000 };

function etl(version = 1) {
  const g = graph<{ n: number }>('etl', { version });
  const extract = g.task('extract', { run: ({ input }) => ({ rows: range(input.n) }) });
  const rows = g.task('rows', { after: { extract }, run: ({ deps }) => deps.extract.rows });
  const each = g.map('each', { over: rows, run: ({ item, index }) => item * 10 + index });
  const extra = g.task('extra', {
    after: { extract },
    if: ({ deps }) => deps.extract.rows.length > 5,
    run: () => 1,
  });
  const load = g.task('load', {
    after: { each, extra: optional(extra) },
    run: async ({ deps }) => {
      let sum = deps.extra ?? 0;
      for await (const one of deps.each) sum += one;
      return { sum, count: deps.each.count };
    },
  });
  return g.outputs({ load, each });
}

describe('a run', () => {
  it('comes to its outputs', async () => {
    const store = t.namespace();
    const definition = etl();
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, { n: 4 });
    const { load, each } = await run.result(WAIT);
    expect(load).toEqual({ sum: 66, count: 4 });
    expect(await each.all()).toEqual([0, 11, 22, 33]);
    const { statusCode, counts } = await run.status();
    expect(statusCode).toBe('completed');
    expect(counts).toMatchObject({ completed: 8, skipped: 1, pending: 0 });
    expect(await run.nodes()).toMatchObject([
      { node: 'extract', statusCode: 'completed' },
      { node: 'rows', statusCode: 'completed' },
      { node: 'each', statusCode: 'completed', items: { completed: 4 } },
      { node: 'extra', statusCode: 'skipped', status: 'its condition is false' },
      { node: 'load', statusCode: 'completed' },
    ]);
  });

  it.each([0, 1, 11, 1_200])('maps %i items, in their order', async (n) => {
    const store = t.namespace();
    const definition = etl();
    await startWorker(store, [definition], { workers: 500 });
    const run = await startRun(store, definition, { n });
    const { each } = await run.result(WAIT);
    expect(each.count).toBe(n);
    expect(await each.all()).toEqual(range(n).map((i) => i * 11));
  });

  it('refuses a bad input before anything is inserted', async () => {
    const store = t.namespace();
    const g = graph('strict', { input: typed<{ n: number }>({ required: ['n'] }) });
    const definition = g.outputs({ a: g.task('a', { run: ({ input }) => input.n }) });
    // @ts-expect-error: n is missing
    const error = await rejection(startRun(store, definition, {}));
    expect(error).toBeInstanceOf(InvalidValueError);
    expect(await listedIds(store)).toEqual([]);
  });

  it('fails a node whose output does not fit, at once, with the path', async () => {
    const store = t.namespace();
    const g = graph('bad-output');
    let tries = 0;
    const output = typed<{ n: number }>({ properties: { n: { type: 'number' } } });
    const a = g.task('a', {
      output,
      run: () => {
        tries++;
        // What a handler returns is not always what its type says.
        return JSON.parse('{ "n": "one" }') as { n: number };
      },
    });
    const definition = g.outputs({ a });
    await startWorker(store, [definition]);
    const error = await rejection((await startRun(store, definition, undefined)).result(WAIT));
    expect(error).toBeInstanceOf(RunFailedError);
    expect(error).toMatchObject({
      failures: [
        { node: 'a', status: 'The output of node "a" does not fit its schema: /n must be number.' },
      ],
    });
    expect(tries).toBe(1);
  });

  it('leaves nothing when the transaction of its start is rolled back', async () => {
    const store = t.namespace();
    const definition = etl();
    const client = await t.pool.connect();
    await client.query('begin');
    await startRun(store, definition, { n: 1 }, { tx: client });
    await client.query('rollback');
    client.release();
    expect(await listedIds(store)).toEqual([]);
  });

  it('is the same for the same idempotency key, and refuses another input under it', async () => {
    const store = t.namespace();
    const definition = etl();
    const first = await startRun(store, definition, { n: 1 }, { idempotencyKey: 'k' });
    const again = await startRun(store, definition, { n: 1 }, { idempotencyKey: 'k' });
    expect(again.id).toBe(first.id);
    const other = startRun(store, definition, { n: 2 }, { idempotencyKey: 'k' });
    expect(await rejection(other)).toBeInstanceOf(RunInputMismatchError);
    const named = () => startRun(store, definition, { n: 1 }, { runId: '42' });
    expect((await named()).id).toBe('etl/42');
    expect(await rejection(named())).toBeInstanceOf(RunExistsError);
  });

  it('names the nodes that failed, through what was skipped and through sub-graphs', async () => {
    const store = t.namespace();
    const inner = graph<number>('inner');
    const verdict = inner.task('verdict', {
      run: ({ input }) => {
        if (input === 0) throw new PermanentError('zero');
        return input;
      },
    });
    const innerGraph = inner.outputs({ verdict });
    const g = graph<{ n: number }>('outer');
    const sub = g.graph('sub', { graph: innerGraph, input: ({ input }) => input.n });
    const after = g.task('after', { after: { sub }, run: ({ deps }) => deps.sub.verdict });
    const definition = g.outputs({ after });
    await startWorker(store, [definition]);
    const good = await startRun(store, definition, { n: 7 });
    expect(await good.result(WAIT)).toEqual({ after: 7 });
    const bad = await startRun(store, definition, { n: 0 });
    expect(await rejection(bad.result(WAIT))).toMatchObject({
      failures: [{ node: 'sub/verdict', status: 'zero' }],
    });
    expect(await bad.nodes()).toMatchObject([
      { node: 'sub', statusCode: 'aborted', status: '"sub/verdict" failed: zero' },
      { node: 'sub/verdict', statusCode: 'aborted' },
      {
        node: 'after',
        statusCode: 'skipped',
        status: 'skipped since "sub" failed: "sub/verdict" failed: zero',
      },
    ]);
  });
});

/** Each row of the table in docs/graphs.md: a dependency, and what comes of it for each way in which `a` ends. */
describe('the table of triggers', () => {
  const ENDS = ['completed', 'failed', 'skipped', 'cancelled'] as const;

  function table(end: (typeof ENDS)[number]) {
    const g = graph('table');
    const a = g.task('a', {
      retries: 0,
      if: () => end !== 'skipped',
      run: () => {
        if (end === 'failed') throw new Error('boom');
        return 1;
      },
      ...(end === 'cancelled' ? { queue: 'nobody' } : {}),
    });
    const seen = <D>({ deps }: { deps: D }) => JSON.stringify(deps);
    g.task('plain', { after: { a }, run: seen });
    g.task('optional', { after: { a: optional(a) }, run: seen });
    g.task('settled', { after: { a: settled(a) }, run: seen });
    g.task('onFailure', { after: { a: onFailure(a) }, run: seen });
    g.task('anyOf', { after: { a: anyOf(a) }, run: seen });
    g.task('orderOnly', { after: { a: orderOnly(a) }, run: seen });
    g.task('orderOnlySettled', { after: { a: orderOnly(settled(a)) }, run: seen });
    return g.outputs({ a: settled(a) });
  }

  const because = 'skipped since "a" ';
  it.each([
    [
      'completed',
      {
        plain: '{"a":1}',
        optional: '{"a":1}',
        settled: '{"a":{"status":"completed","value":1}}',
        onFailure: `${because}did not fail`,
        anyOf: '{"a":1}',
        orderOnly: '{}',
        orderOnlySettled: '{}',
      },
    ],
    [
      'failed',
      {
        plain: `${because}failed: boom`,
        optional: '{}',
        settled: '{"a":{"status":"failed","error":"boom"}}',
        onFailure: '{"a":{"node":"a","error":"boom"}}',
        anyOf: `${because}failed: boom`,
        orderOnly: `${because}failed: boom`,
        orderOnlySettled: '{}',
      },
    ],
    [
      'skipped',
      {
        plain: `${because}was skipped: its condition is false`,
        optional: '{}',
        settled: '{"a":{"status":"skipped","reason":"its condition is false"}}',
        onFailure: `${because}did not fail`,
        anyOf: `${because}was skipped: its condition is false`,
        orderOnly: `${because}was skipped: its condition is false`,
        orderOnlySettled: '{}',
      },
    ],
    [
      'cancelled',
      {
        plain: `${because}was cancelled: by hand`,
        optional: '{}',
        settled: '{"a":{"status":"cancelled","reason":"by hand"}}',
        onFailure: `${because}did not fail`,
        anyOf: `${because}was cancelled: by hand`,
        orderOnly: `${because}was cancelled: by hand`,
        orderOnlySettled: '{}',
      },
    ],
  ] as const)('holds where a is %s', async (end, expected) => {
    const store = t.namespace();
    const definition = table(end);
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined, { runId: '1' });
    if (end === 'cancelled') await store.cancelTasks(['table/1/a'], { status: 'by hand' });
    await run.result(WAIT);
    const became: Record<string, unknown> = {};
    for (const name of Object.keys(expected)) {
      const task = await store.getTask(`table/1/${name}`);
      became[name] = task?.statusCode === 'skipped' ? task.status : task?.result;
    }
    expect(became).toEqual(expected);
  });
});
