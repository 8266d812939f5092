import { afterEach, describe, expect, it } from 'vitest';
import {
  GraphActor,
  type GraphDefinition,
  graph,
  InvalidValueError,
  settled,
  startRun,
  typed,
} from '../../../src/index.js';
import { drain } from '../../../src/testing/index.js';
import { eventually, rejection } from '../../support/factories.js';
import { startWorker } from '../../support/run-graphs.js';
import { useTestBox } from '../../support/test-box.js';
import { useTestDatabase } from '../../support/test-database.js';

const t = useTestBox();
const WAIT = { timeoutMs: 20_000 };
const HOUR_MS = 3_600_000;

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

describe('time that is moved', () => {
  const d = useTestDatabase();
  afterEach(() => d.db.clock.reset());

  function clocked(definition: GraphDefinition) {
    const { box, clock } = d.db;
    const actor = new GraphActor(box, [definition]);
    return { box, clock, perform: () => drain(box, actor, { clock }) };
  }

  it('ends a sleep that began with the end of its dependencies, and not before', async () => {
    const g = graph('sleepy');
    const a = g.task('a', { run: () => 1 });
    const pause = g.sleep('pause', HOUR_MS, { after: { a } });
    const b = g.task('b', { after: { pause }, run: ({ deps }) => deps.pause });
    const definition = g.outputs({ b });
    const { box, clock, perform } = clocked(definition);
    await clock.freeze();
    const run = await box.start(definition, undefined, { runId: '1' });
    await perform();
    const began = await box.getTask('sleepy/1/a');
    const until = new Date(Number(began?.finishedAt) + HOUR_MS);
    expect(await run.why('pause')).toMatchObject({
      statusCode: 'pending',
      reasons: [{ kind: 'start-time', at: until }],
    });
    await clock.advance(HOUR_MS - 1);
    await perform();
    expect((await run.status()).statusCode).toBe('pending');
    await clock.advance(1);
    await perform();
    expect(await run.result()).toEqual({});
    const slept = await box.getTask('sleepy/1/pause');
    expect(slept).toMatchObject({ numTries: 1, finishedAt: until });
  });

  it('does not move a sleep whose function would now say another end', async () => {
    const noon = Date.UTC(2030, 0, 1, 12);
    let calls = 0;
    const g = graph('moving');
    const pause = g.sleep('pause', () => new Date(noon + ++calls * HOUR_MS));
    const definition = g.outputs({ pause });
    const { box, clock, perform } = clocked(definition);
    await clock.freeze(new Date(noon));
    const run = await box.start(definition, undefined);
    await perform();
    await clock.advance(HOUR_MS);
    await perform();
    expect((await run.status()).statusCode).toBe('completed');
    expect(calls).toBe(1);
  });

  it('ends a wait for an event at its time-out', async () => {
    const { definition } = approval(HOUR_MS);
    const { box, clock, perform } = clocked(definition);
    await clock.freeze();
    const run = await box.start(definition, { ask: true });
    await perform();
    await clock.advance(HOUR_MS - 1);
    await perform();
    expect((await run.status()).statusCode).toBe('pending');
    await clock.advance(1);
    await perform();
    expect(await rejection(run.result())).toMatchObject({
      failures: [{ node: 'approved', status: `no payload came within ${HOUR_MS} ms` }],
    });
  });
});
