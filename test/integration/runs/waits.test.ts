import { describe, expect, it } from 'vitest';
import { graph, InvalidValueError, settled, startRun, typed } from '../../../src/index.js';
import { eventually, rejection } from '../../support/factories.js';
import { startWorker } from '../../support/run-graphs.js';
import { useTestBox } from '../../support/test-box.js';

const t = useTestBox();
const WAIT = { timeoutMs: 20_000 };

function approval(timeoutMs?: number) {
  const g = graph<{ ask: boolean }>('approval');
  const ask = g.task('ask', { if: ({ input }) => input.ask, run: () => 'sent' });
  const approved = g.event('approved', {
    after: { ask },
    schema: typed<{ by: string }>({ required: ['by'] }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const act = g.task('act', { after: { approved }, run: ({ deps }) => deps.approved.by });
  return { definition: g.outputs({ act: settled(act) }), approved };
}

describe('an event', () => {
  it('brings its payload to what depends on it', async () => {
    const store = t.namespace();
    const { definition, approved } = approval();
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, { ask: true }, { runId: '1' });
    await store.waitFor('approval/1/approved/~gate', WAIT);
    const bad = run.signal('approved', { from: 'me' });
    expect(await rejection(bad)).toBeInstanceOf(InvalidValueError);
    expect(await run.signal(approved, { by: 'Ann' })).toBe(true);
    expect(await run.signal(approved, { by: 'Bob' })).toBe(false);
    expect(await run.result(WAIT)).toEqual({ act: { status: 'completed', value: 'Ann' } });
  });

  it('may come before anything waits for it', async () => {
    const store = t.namespace();
    const { definition, approved } = approval(60_000);
    const run = await startRun(store, definition, { ask: true }, { runId: '1' });
    expect(await run.signal(approved, { by: 'Ann' })).toBe(true);
    await startWorker(store, [definition]);
    expect(await run.result(WAIT)).toEqual({ act: { status: 'completed', value: 'Ann' } });
    expect(await store.getTask('approval/1/approved/~timeout')).toBeNull();
  });

  it('fails where nothing came in time', async () => {
    const store = t.namespace();
    const { definition } = approval(1);
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, { ask: true });
    expect(await run.result(WAIT).catch((error) => error)).toMatchObject({
      failures: [{ node: 'approved', status: 'no payload came within 1 ms' }],
    });
  });

  it('waits anew after a rerun', async () => {
    const store = t.namespace();
    const { definition, approved } = approval(1);
    t.allow({ signalsMayOutnumberSenders: true });
    const worker = await startWorker(store, [definition]);
    const run = await startRun(store, definition, { ask: true }, { runId: '1' });
    await rejection(run.result(WAIT));
    await worker.stop();
    expect(await run.rerun({ from: 'failed' })).toEqual({
      reruns: ['approved', 'act'],
      keeps: ['ask'],
    });
    const patient = approval(60_000).definition;
    await startWorker(store, [patient]);
    await store.waitFor('approval/1/approved/~gate', WAIT);
    await eventually(async () => expect(await run.signal(approved, { by: 'Ann' })).toBe(true));
    expect(await run.result(WAIT)).toEqual({ act: { status: 'completed', value: 'Ann' } });
  });

  it('is not waited for where it is skipped', async () => {
    const store = t.namespace();
    const { definition } = approval();
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, { ask: false });
    expect(await run.result(WAIT)).toEqual({
      act: {
        status: 'skipped',
        reason: 'skipped since "ask" was skipped: its condition is false',
      },
    });
  });
});

describe('a sleep', () => {
  it('lasts from the end of its dependencies, holds no worker and uses no try', async () => {
    const store = t.namespace();
    const g = graph('sleepy');
    const a = g.task('a', { run: () => 1 });
    const pause = g.sleep('pause', 300, { after: { a } });
    const b = g.task('b', { after: { pause }, run: ({ deps }) => deps.pause });
    const definition = g.outputs({ b });
    await startWorker(store, [definition], { workers: 1 });
    const run = await startRun(store, definition, undefined, { runId: '1' });
    expect(await run.result(WAIT)).toEqual({});
    const [first, slept] = await store.getTasks(['sleepy/1/a', 'sleepy/1/pause']);
    const tookMs = Number(slept?.finishedAt) - Number(first?.finishedAt);
    expect(tookMs).toBeGreaterThanOrEqual(300);
    expect(slept?.numTries).toBe(1);
  });

  it('keeps to the time that its function said first', async () => {
    const store = t.namespace();
    let times = 0;
    const g = graph('moving');
    const pause = g.sleep('pause', () => new Date(Date.now() + 100 + 60_000 * times++));
    const definition = g.outputs({ pause });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined);
    await run.result(WAIT);
    expect(times).toBe(1);
  });
});
