import { describe, expect, it } from 'vitest';
import {
  graph,
  PermanentError,
  RunCancelledError,
  type RunEvent,
  settled,
  startRun,
  TaskNotFoundError,
  UnknownNodeError,
} from '../../../src/index.js';
import { Run } from '../../../src/run/run.js';
import { eventually, listedIds, range, rejection } from '../../support/factories.js';
import { Gate, startWorker } from '../../support/run-graphs.js';
import { useTestBox } from '../../support/test-box.js';

const t = useTestBox();
const WAIT = { timeoutMs: 20_000 };

describe('cancel', () => {
  it('ends all of the run, and fires the signals of handlers', async () => {
    const store = t.namespace();
    const running = new Gate<number>();
    let reason: unknown;
    const g = graph('long');
    const a = g.task('a', {
      run: ({ signal }) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
        });
        return running.pass();
      },
    });
    const b = g.task('b', { after: { a: settled(a) }, run: () => 1 });
    const definition = g.outputs({ b });
    await startWorker(store, [definition], { maxDurationMs: 600_000, heartbeatMs: 100 });
    const run = await startRun(store, definition, undefined);
    const other = await startRun(store, definition, undefined, { runId: 'x' });
    await running.begun;
    expect(await run.cancel({ status: 'not wanted' })).toBe(3);
    expect(await rejection(run.result(WAIT))).toBeInstanceOf(RunCancelledError);
    await eventually(() => expect(reason).toMatchObject({ code: 'INVALID_TOKEN' }));
    expect(await run.status()).toMatchObject({ statusCode: 'cancelled', counts: { cancelled: 2 } });
    expect(await run.cancel()).toBe(0);
    running.open(1);
    expect(await other.result(WAIT)).toEqual({ b: 1 });
  });

  it('ends items that are inserted meanwhile', async () => {
    const store = t.namespace();
    const running = new Gate<void>();
    const g = graph('items');
    const list = g.task('list', { run: () => range(500) });
    const each = g.map('each', {
      over: list,
      run: async () => {
        await running.pass();
        return 1;
      },
    });
    const definition = g.outputs({ each });
    await startWorker(store, [definition], { workers: 3 });
    const run = await startRun(store, definition, undefined);
    await running.begun;
    await run.cancel();
    const { counts } = await run.status();
    expect(counts).toMatchObject({ completed: 1, pending: 0, 'in-progress': 0, cancelled: 501 });
    running.open();
  });

  it('says so where there is no such run', async () => {
    const store = t.namespace();
    const g = graph('none');
    const definition = g.outputs({ a: g.task('a', { run: () => 1 }) });
    const run = await startRun(store, definition, undefined);
    expect(await run.delete()).toBe(2);
    expect(await rejection(run.cancel())).toBeInstanceOf(TaskNotFoundError);
    expect(await rejection(run.status())).toBeInstanceOf(TaskNotFoundError);
  });
});

describe('rerun', () => {
  function pipeline() {
    const calls: string[] = [];
    const broken = new Set<string>();
    const call = <T>(name: string, value: T): T => {
      calls.push(name);
      if (broken.has(name)) throw new PermanentError(`${name} is broken`);
      return value;
    };
    const g = graph<number>('pipeline');
    const list = g.task('list', { run: ({ input }) => call('list', range(input)) });
    const side = g.task('side', { run: () => call('side', 'side') });
    const each = g.map('each', { over: list, run: ({ item }) => call(`each/${item}`, item) });
    const next = g.map('next', { over: each, run: ({ item }) => call(`next/${item}`, item * 2) });
    const total = g.task('total', {
      after: { next, side },
      run: async ({ deps }) =>
        call(
          'total',
          (await deps.next.all()).reduce((a, b) => a + b, 0),
        ),
    });
    return { definition: g.outputs({ total }), calls, broken };
  }

  it('from failed does again what failed and what comes after, and keeps the rest', async () => {
    const store = t.namespace();
    const { definition, calls, broken } = pipeline();
    await startWorker(store, [definition]);
    broken.add('each/2');
    const run = await startRun(store, definition, 4);
    expect(await rejection(run.result(WAIT))).toMatchObject({ code: 'RUN_FAILED' });
    broken.clear();
    calls.length = 0;
    const expected = {
      reruns: ['each', 'next', 'total', 'each/2', 'next/2'],
      keeps: ['list', 'side'],
    };
    expect(await run.rerun({ from: 'failed', preview: true })).toEqual(expected);
    expect((await run.status()).statusCode).toBe('aborted');
    expect(await run.rerun({ from: 'failed' })).toEqual(expected);
    expect(await run.result(WAIT)).toEqual({ total: 12 });
    expect(calls.sort()).toEqual(['each/2', 'next/2', 'total']);
  });

  it('from one item does that item again', async () => {
    const store = t.namespace();
    const { definition, calls } = pipeline();
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, 4);
    await run.result(WAIT);
    calls.length = 0;
    await run.rerun({ from: ['next/3'] });
    expect(await run.result(WAIT)).toEqual({ total: 12 });
    expect(calls.sort()).toEqual(['next/3', 'total']);
    expect(await rejection(run.rerun({ from: ['nothing'] }))).toBeInstanceOf(UnknownNodeError);
  });

  it('from a node before a map makes the items anew, also fewer', async () => {
    const store = t.namespace();
    t.allow({ signalsMayOutnumberSenders: true });
    const { definition, calls } = pipeline();
    let size = 4;
    const g = graph('resized');
    const list = g.task('list', { run: () => range(size) });
    const each = g.map('each', { over: list, run: ({ item }) => item });
    const resized = g.outputs({ each });
    await startWorker(store, [definition, resized]);

    const run = await startRun(store, definition, 2);
    await run.result(WAIT);
    calls.length = 0;
    await run.rerun({ from: ['list'] });
    expect(await run.result(WAIT)).toEqual({ total: 2 });
    expect(calls.sort()).toEqual(['each/0', 'each/1', 'list', 'next/0', 'next/1', 'total']);

    const second = await startRun(store, resized, undefined, { runId: '1' });
    expect((await second.result(WAIT)).each.count).toBe(4);
    for (size of [2, 0, 3]) {
      await second.rerun({ from: ['list'] });
      const result = await second.result(WAIT);
      expect(await result.each.all()).toEqual(range(size));
      const ids = await listedIds(store, { idPrefix: 'resized/1/each/' });
      expect(ids).toHaveLength(size + 1);
    }
  });

  it('makes the items of a chain anew where a gate runs again', async () => {
    const store = t.namespace();
    t.allow({ signalsMayOutnumberSenders: true });
    const g = graph('gated');
    let add = 10;
    const list = g.task('list', { run: () => range(3) });
    const plus = g.task('plus', { run: () => add });
    const each = g.map('each', { over: list, run: ({ item }) => item });
    const sum = g.map('sum', {
      over: each,
      after: { plus },
      run: ({ item, deps }) => item + deps.plus,
    });
    const definition = g.outputs({ sum });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined);
    expect(await (await run.result(WAIT)).sum.all()).toEqual([10, 11, 12]);
    add = 20;
    expect(await run.rerun({ from: ['plus'] })).toEqual({
      reruns: ['plus', 'each', 'sum'],
      keeps: ['list'],
    });
    expect(await (await run.result(WAIT)).sum.all()).toEqual([20, 21, 22]);
  });

  it.each([
    [['list']],
    [['side']],
    [['each']],
    [['next']],
    [['each/2']],
    [['next/1']],
    [['each/0', 'next/3', 'side']],
    [['total']],
  ])('from %j runs what its preview says, and nothing else', async (from) => {
    const store = t.namespace();
    t.allow({ signalsMayOutnumberSenders: true });
    const { definition, calls } = pipeline();
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, 4);
    await run.result(WAIT);
    calls.length = 0;
    const { reruns, keeps } = await run.rerun({ from, preview: true });
    expect(calls).toEqual([]);
    expect(await run.rerun({ from })).toEqual({ reruns, keeps });
    expect(await run.result(WAIT)).toEqual({ total: 12 });
    // Of a map whose items are named, those ran; of one that is made anew, all.
    const ran = reruns.flatMap((name) => {
      if (name !== 'each' && name !== 'next') return [name];
      return reruns.some((one) => one.startsWith(`${name}/`))
        ? []
        : range(4).map((i) => `${name}/${i}`);
    });
    expect(calls.sort()).toEqual(ran.sort());
    expect(ran.filter((name) => keeps.includes(name))).toEqual([]);
  });

  it('takes up a cancelled run', async () => {
    const store = t.namespace();
    const { definition } = pipeline();
    const run = await startRun(store, definition, 3);
    await run.cancel();
    await startWorker(store, [definition]);
    await run.rerun({ from: 'failed' });
    expect(await run.result(WAIT)).toEqual({ total: 6 });
  });
});

describe('versions', () => {
  function shape(version: number) {
    const g = graph('shape', { version });
    const a = g.task('a', { run: () => `v${version}` });
    return g.outputs({ a });
  }

  it('are each performed by workers that know them', async () => {
    const store = t.namespace();
    const [one, two] = [shape(1), shape(2)];
    const [first, second] = [
      await startRun(store, one, undefined),
      await startRun(store, two, undefined),
    ];
    const worker = await startWorker(store, [two]);
    expect(await second.result(WAIT)).toEqual({ a: 'v2' });
    expect((await first.status()).counts.pending).toBe(1);
    await startWorker(store, [one]);
    expect(await first.result(WAIT)).toEqual({ a: 'v1' });
    await worker.stop();
    await startWorker(store, [one, two]);
    expect(await (await startRun(store, one, undefined)).result(WAIT)).toEqual({ a: 'v1' });
    expect(await (await startRun(store, two, undefined)).result(WAIT)).toEqual({ a: 'v2' });
  });

  it('run at the same time, each by workers that know it: the one, the other, or both', async () => {
    const store = t.namespace();
    const begun: [worker: string, version: number][] = [];
    const both = new Map([1, 2].map((version) => [version, new Gate<void>()]));
    const known = (worker: string, version: number) => {
      const g = graph('shape', { version });
      const list = g.task('list', { run: () => range(4) });
      const each = g.map('each', {
        over: list,
        run: async ({ item }) => {
          begun.push([worker, version]);
          // None goes on before both versions run.
          both.get(version)?.open();
          await Promise.all(Array.from(both.values(), (gate) => gate.pass()));
          return item + version;
        },
      });
      return g.outputs({ each });
    };
    await startWorker(store, [known('first', 1)]);
    await startWorker(store, [known('second', 2)]);
    await startWorker(store, [known('both', 1), known('both', 2)]);
    const versions = range(20).map((i) => 1 + (i % 2));
    const results = await Promise.all(
      versions.map(async (version) => {
        const run = await startRun(store, known('', version), undefined);
        return (await run.result(WAIT)).each.all();
      }),
    );
    expect(results).toEqual(versions.map((version) => range(4).map((i) => i + version)));
    expect(begun).toHaveLength(80);
    expect(begun).not.toContainEqual(['first', 2]);
    expect(begun).not.toContainEqual(['second', 1]);
  });

  it('of another shape leave its tasks alone, items and what is in its sub-graphs as well', async () => {
    const store = t.namespace();
    const calls: string[] = [];
    const shaped = (worker: string, extra: boolean) => {
      const inner = graph('inner');
      const verdict = inner.task('verdict', { run: () => calls.push(`${worker} verdict`) });
      const g = graph('outer');
      const list = g.task('list', { run: () => range(3) });
      const each = g.map('each', { over: list, run: () => calls.push(`${worker} each`) });
      g.graph('sub', { graph: inner.outputs({ verdict }), after: { each } });
      if (extra) g.task('extra', { run: () => 1 });
      return g.outputs({});
    };
    const right = shaped('right', true);
    const wrong = shaped('wrong', false);
    await startWorker(store, [wrong]);
    await startWorker(store, [right]);
    for (const run of await Promise.all(range(3).map(() => startRun(store, right, undefined)))) {
      await run.result(WAIT);
      // Whoever has another definition can tell how it stands all the same.
      expect(await new Run(store, wrong, run.id).nodes()).toMatchObject([
        { node: 'list', statusCode: 'completed' },
        { node: 'each', statusCode: 'completed', items: { completed: 3 } },
        { node: 'sub', statusCode: 'completed' },
        { node: 'sub/verdict', statusCode: 'completed' },
      ]);
    }
    expect(calls.filter((one) => one.startsWith('wrong'))).toEqual([]);
    expect(calls).toHaveLength(12);
  });

  it('of one number but another shape wait, and say for what', async () => {
    const store = t.namespace();
    const g = graph('shape');
    g.task('b', { run: () => 1 });
    const a = g.task('a', { run: () => 'other' });
    const other = g.outputs({ a });
    const run = await startRun(store, other, undefined, { runId: '1' });
    const worker = await startWorker(store, [shape(1)]);
    const action = `shape@1.${other.hash.slice(0, 8)}/a`;
    const absent = { kind: 'no-worker', queue: 'default', action };
    await eventually(async () =>
      expect((await run.why('a')).reasons).toMatchObject([absent, { kind: 'ready' }]),
    );
    await worker.stop();
    await startWorker(store, [other]);
    expect(await run.result(WAIT)).toEqual({ a: 'other' });
  });

  it('leave a node whose handler is elsewhere to whoever has it', async () => {
    const store = t.namespace();
    const g = graph<string>('mail');
    const sent = g.task('sent', { action: 'send-mail' });
    const definition = g.outputs({ sent });
    const run = await startRun(store, definition, 'Ann');
    await startWorker(store, [definition]);
    await startWorker(store, [definition], {
      handlers: { 'send-mail': ({ input }: { input: string }) => `to ${input}` },
    });
    expect(await run.result(WAIT)).toEqual({ sent: 'to Ann' });
  });
});

describe('a run deleted, and another started under its id', () => {
  it('gives its own input to all of its nodes', async () => {
    const store = t.namespace();
    const inner = graph<number>('inner');
    const seen = inner.task('seen', { run: ({ input }) => input });
    const innerGraph = inner.outputs({ seen });
    const g = graph<number>('again');
    const first = g.task('first', { run: ({ input }) => input });
    const list = g.task('list', {
      after: { first },
      run: ({ input }) => range(2).map(() => input),
    });
    const each = g.map('each', { over: list, run: ({ input }) => input });
    const zip = g.map('zip', { over: each, after: { first }, run: ({ input }) => input });
    const sub = g.graph('sub', { graph: innerGraph, input: ({ input }) => input });
    const definition = g.outputs({ first, list, each, zip, sub });
    await startWorker(store, [definition]);
    for (const input of [1, 2, 3]) {
      const run = await startRun(store, definition, input, { runId: '1' });
      const result = await run.result(WAIT);
      expect(result).toMatchObject({ first: input, list: [input, input], sub: { seen: input } });
      expect(await result.each.all()).toEqual([input, input]);
      expect(await result.zip.all()).toEqual([input, input]);
      await run.delete();
    }
  });
});

describe('events', () => {
  it('tell of nodes that begin and end between two looks, each as started, then ended', async () => {
    const store = t.namespace();
    const g = graph('quick');
    let last = g.task('t0', { run: () => 0 });
    for (const i of range(10).slice(1)) {
      last = g.task(`t${i}`, { after: { last }, run: ({ deps }) => deps.last });
    }
    const definition = g.outputs({ last });
    const run = await startRun(store, definition, undefined);
    const told: string[] = [];
    const listening = (async () => {
      for await (const event of run.events({ intervalMs: 600_000 })) {
        told.push('node' in event ? `${event.type} ${event.node}` : event.type);
      }
    })();
    await startWorker(store, [definition]);
    await listening;
    const names = range(10).map((i) => `t${i}`);
    expect(told).toEqual([
      ...names.flatMap((one) => [`started ${one}`, `ended ${one}`]),
      'run-ended',
    ]);
  });

  it('tell what begins, goes on and ends, and then end', async () => {
    const store = t.namespace();
    const running = new Gate<number>();
    const g = graph('told');
    const a = g.task('a', { run: () => range(3) });
    const each = g.map('each', { over: a, run: () => running.pass() });
    const b = g.task('b', { after: { each }, if: () => false, run: () => 1 });
    const definition = g.outputs({ b: settled(b) });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined);
    const seen: RunEvent[] = [];
    for await (const event of run.events({ intervalMs: 100 })) {
      seen.push(event);
      if (event.type === 'progress') running.open(1);
    }
    const told = seen.map((event) =>
      'node' in event ? `${event.type} ${event.node}` : event.type,
    );
    expect(told.filter((one) => !one.startsWith('progress'))).toEqual([
      'started a',
      'ended a',
      'started each',
      'ended each',
      'ended b',
      'run-ended',
    ]);
    expect(seen.filter(({ type }) => type === 'progress').at(-1)).toMatchObject({
      node: 'each',
      items: { completed: 3 },
    });
  });

  it('end with their signal', async () => {
    const store = t.namespace();
    const g = graph('told');
    const definition = g.outputs({ a: g.task('a', { run: () => 1 }) });
    const run = await startRun(store, definition, undefined);
    const seen: RunEvent[] = [];
    const signal = AbortSignal.timeout(200);
    for await (const event of run.events({ signal })) seen.push(event);
    expect(seen).toEqual([]);
  });
});
