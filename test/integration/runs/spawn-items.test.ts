import { describe, expect, it } from 'vitest';
import { graph, openRun, PermanentError, startRun } from '../../../src/index.js';
import { eventually, listedIds, range, rejection } from '../../support/factories.js';
import { Gate, startWorker } from '../../support/run-graphs.js';
import { useTestBox } from '../../support/test-box.js';

const t = useTestBox();
const WAIT = { timeoutMs: 20_000 };

/** Each item spawns as many runs as it says; a run fails where `broken` has its item. */
function mapping(options: {
  broken?: ReadonlySet<number>;
  failAfter?: { count: number };
  wait?: () => Promise<void>;
}) {
  const { broken = new Set(), failAfter = { count: 1 }, wait } = options;
  const inner = graph<number>('page');
  const a = inner.task('a', {
    run: async ({ input }) => {
      await wait?.();
      if (broken.has(input)) throw new PermanentError(`${input} is broken`);
      return input;
    },
  });
  const page = inner.outputs({ a });
  const g = graph<number[]>('site');
  const list = g.task('list', { run: ({ input }) => input });
  const each = g.map('each', {
    over: list,
    failAfter,
    spawns: [page],
    run: async ({ item, index, spawn }) => {
      for (const _ of range(item)) await spawn(page, index);
      return item;
    },
  });
  const total = g.task('total', {
    after: { each },
    run: async ({ deps }) => (await deps.each.all()).reduce((sum, one) => sum + one, 0),
  });
  return { page, definition: g.outputs({ total }) };
}

describe('a map whose items spawn', () => {
  it('ends when all that they spawned has ended', async () => {
    const store = t.namespace();
    const running = new Gate<void>();
    const { definition, page } = mapping({ wait: () => running.pass() });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, [0, 1, 12], { runId: '1' });
    await running.begun;
    await eventually(async () =>
      expect((await run.nodes())[1]).toMatchObject({ items: { completed: 3 } }),
    );
    expect((await run.nodes())[1]).toMatchObject({ node: 'each', statusCode: 'in-progress' });
    running.open();
    expect(await run.result(WAIT)).toEqual({ total: 13 });
    expect(await run.nodes()).toMatchObject([
      { node: 'list' },
      { node: 'each', items: { completed: 3 }, spawned: { completed: 13 } },
      { node: 'total' },
    ]);
    expect(await openRun(store, page, 'site/1/each/~spawned/2/11').result()).toEqual({ a: 2 });
  });

  it('counts an item as failed of which a run failed', async () => {
    const store = t.namespace();
    const { definition } = mapping({ broken: new Set([1, 10]) });
    await startWorker(store, [definition]);
    const run = await startRun(
      store,
      definition,
      range(11).map(() => 2),
      { runId: '1' },
    );
    const status =
      '2 of 11 items failed, first item 1: spawned run site/1/each/~spawned/1/0 failed: "a" failed: 1 is broken';
    expect(await rejection(run.result(WAIT))).toMatchObject({
      failures: [{ node: 'each', status }],
    });
  });

  it('stands as many failures of that kind as of others', async () => {
    const store = t.namespace();
    const { definition } = mapping({ broken: new Set([1]), failAfter: { count: 2 } });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, [1, 1, 1]);
    // The item itself came to a result.
    expect(await run.result(WAIT)).toEqual({ total: 3 });
  });

  it('goes on from failed within the run that failed, and has all that it spawned made anew with the map', async () => {
    const store = t.namespace();
    t.allow({ signalsMayOutnumberSenders: true });
    const broken = new Set([2]);
    const { definition } = mapping({ broken });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, [1, 2, 3], { runId: '1' });
    await rejection(run.result(WAIT));
    const before = await store.getTask('site/1/each/~spawned/1/0');
    broken.clear();
    expect(await run.rerun({ from: 'failed' })).toEqual({
      reruns: [
        'each',
        'total',
        ...range(3).flatMap((i) => [`each/~spawned/2/${i}`, `each/~spawned/2/${i}/a`]),
      ],
      keeps: ['list'],
    });
    expect(await run.result(WAIT)).toEqual({ total: 6 });
    expect(await store.getTask('site/1/each/~spawned/1/0')).toEqual(before);
    const idPrefix = 'site/1/each/~spawned/';
    expect(await listedIds(store, { idPrefix })).toHaveLength(12);
    await run.rerun({ from: ['each'] });
    expect(await run.result(WAIT)).toEqual({ total: 6 });
    expect(await listedIds(store, { idPrefix })).toHaveLength(12);
    const after = await store.getTask('site/1/each/~spawned/1/0');
    expect(after?.createdAt.getTime()).toBeGreaterThan(before?.createdAt.getTime() ?? 0);
  });

  it('may itself go over a map', async () => {
    const store = t.namespace();
    const { page } = mapping({});
    const g = graph('zipped');
    const list = g.task('list', { run: () => range(3) });
    const first = g.map('first', { over: list, run: ({ item }) => item + 1 });
    const second = g.map('second', {
      over: first,
      spawns: [page],
      run: async ({ item, spawn }) => {
        for (const i of range(item)) await spawn(page, i);
        return item;
      },
    });
    const definition = g.outputs({ second });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined);
    expect(await (await run.result(WAIT)).second.all()).toEqual([1, 2, 3]);
    expect((await run.nodes())[2]).toMatchObject({ node: 'second', spawned: { completed: 6 } });
  });
});
