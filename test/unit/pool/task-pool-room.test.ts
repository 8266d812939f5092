import { expect, it } from 'vitest';
import { PoolStoppedError } from '../../../src/pool/pool-errors.js';
import { heldTask, poolUnderTest, rejection } from './pool-under-test.js';
import { turn } from './virtual-clock.js';

const ALWAYS_FAILS = () => Promise.reject(new Error('no'));

/** A date so long after the clock's. */
function inMs(clock: { now(): number }, ms: number): { startAfter: Date } {
  return { startAfter: new Date(clock.now() + ms) };
}

it('delayed tasks take places of the queue', async () => {
  const { pool, clock } = poolUnderTest({ workers: 2, queueSize: 3 });
  for (let i = 0; i < 3; i++) await pool.queue(() => {}, inMs(clock, 1_000));
  const fourth = pool.queue(() => {}, inMs(clock, 1_000));
  await turn();
  expect(pool).toMatchObject({ size: 3, numBlocked: 1 });
  await clock.passUntil(fourth);
  await clock.passUntil(pool.stop());
});

it('a queue full of delayed tasks keeps no other from an idle worker', async () => {
  const { pool, clock } = poolUnderTest({ workers: 1, queueSize: 2 });
  for (let i = 0; i < 2; i++) await pool.queue(() => {}, inMs(clock, 60_000));
  const blocked = rejection(pool.queue(() => {}, inMs(clock, 60_000)));
  expect(pool).toMatchObject({ size: 2, numBlocked: 1 });
  expect(await pool.run(() => 'at once')).toBe('at once');
  expect(pool).toMatchObject({ size: 2, numBlocked: 1 });
  await clock.passUntil(pool.stop());
  expect(await blocked).toBeInstanceOf(PoolStoppedError);
});

it('one blocked until its start time gets an idle worker when it comes', async () => {
  const { pool, clock } = poolUnderTest({ workers: 1, queueSize: 1 });
  await pool.queue(() => {}, inMs(clock, 60_000));
  const run = pool.run(() => clock.now(), inMs(clock, 10));
  const start = clock.now();
  expect(await clock.passUntil(run)).toBe(start + 10);
  await clock.passUntil(pool.stop());
});

it('a task that waits for its retry keeps its place', async () => {
  const { pool, clock } = poolUnderTest({ workers: 1, queueSize: 2 });
  for (let i = 0; i < 2; i++) await pool.queue(ALWAYS_FAILS, { retries: 1 });
  await turn();
  expect(pool).toMatchObject({ size: 2, numRunning: 0 });
  const third = pool.queue(() => {}, inMs(clock, 60_000));
  await turn();
  expect(pool.numBlocked).toBe(1);
  await clock.passUntil(third);
  await clock.passUntil(pool.stop());
});

it('retries do not gather without bound beside the queue', async () => {
  const { pool, clock } = poolUnderTest({ workers: 2, queueSize: 3 });
  const queued: Promise<unknown>[] = [];
  for (let i = 0; i < 50; i++) {
    queued.push(pool.queue(ALWAYS_FAILS, { retries: 3 }));
    await turn();
    expect(pool.size).toBeLessThanOrEqual(5);
  }
  expect(pool).toMatchObject({ size: 5, numRunning: 0, numBlocked: 45 });
  await clock.passUntil(Promise.all(queued));
  await clock.passUntil(pool.stop());
  expect(clock.numTimers).toBe(0);
});

it('tasks queued and cancelled leave nothing behind, whatever the workers do', async () => {
  const { pool } = poolUnderTest({ workers: 1, queueSize: 1 });
  const { fn, end } = heldTask();
  await pool.queue(fn);
  for (let i = 0; i < 100; i++) {
    const cancel = new AbortController();
    const task = await pool.queue(() => {}, { signal: cancel.signal });
    const failure = rejection(task.result());
    cancel.abort();
    await failure;
    expect(pool.size).toBe(1);
  }
  end();
  await pool.stop();
});

it('a producer that awaits queue() is never more than the pool holds ahead', async () => {
  const { pool } = poolUnderTest({ workers: 3, queueSize: 4 });
  let numQueued = 0;
  let numDone = 0;
  for (; numQueued < 200; numQueued++) {
    await pool.queue(async () => {
      await turn();
      numDone++;
    });
    expect(numQueued + 1 - numDone).toBeLessThanOrEqual(7);
  }
  await pool.stop();
  expect(numDone).toBe(200);
});
