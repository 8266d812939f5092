import { expect, it } from 'vitest';
import { PoolStoppedError } from '../../../src/pool/pool-errors.js';
import { TaskPool } from '../../../src/pool/task-pool.js';
import { heldTask, poolUnderTest, rejection } from './pool-under-test.js';
import { turn } from './virtual-clock.js';

it('stop waits for what runs', async () => {
  const { pool } = poolUnderTest();
  const { fn, begun, end } = heldTask();
  await pool.queue(fn);
  await begun;
  let isStopped = false;
  const stopped = pool.stop().then(() => {
    isStopped = true;
  });
  await turn();
  expect(isStopped).toBe(false);
  expect(pool.isStopped).toBe(true);
  end();
  await stopped;
});

it('stop waits for retries and for delayed tasks', async () => {
  const { pool, clock } = poolUnderTest();
  const retried = await pool.queue(
    ({ attempt }) => {
      if (attempt < 3) throw new Error('not yet');
      return attempt;
    },
    { retries: 2 },
  );
  const delayed = await pool.queue(() => 'later', { startAfter: new Date(clock.now() + 5_000) });
  await turn();
  await clock.passUntil(pool.stop());
  expect(await retried.result()).toBe(3);
  expect(await delayed.result()).toBe('later');
});

it('stop rejects those blocked in queue()', async () => {
  const { pool, errors } = poolUnderTest({ workers: 1, queueSize: 1 });
  const { fn, end } = heldTask();
  for (let i = 0; i < 2; i++) await pool.queue(fn);
  const blocked = [pool.queue(fn), pool.queue(fn, { startAfter: new Date(8.64e15) }), pool.run(fn)];
  const failures = Promise.all(blocked.map(rejection));
  const stopped = pool.stop();
  for (const failure of await failures) expect(failure).toBeInstanceOf(PoolStoppedError);
  expect(pool).toMatchObject({ size: 2, numBlocked: 0 });
  end();
  await stopped;
  expect(errors()).toEqual([]);
});

it('after its time-out stop aborts what is left, and drops nothing without a word', async () => {
  const { pool, clock, errors } = poolUnderTest({ workers: 1 });
  const { fn, begun } = heldTask();
  const reasons: unknown[] = [];
  const running = await pool.queue(({ signal }) => {
    signal.addEventListener('abort', () => reasons.push(signal.reason));
    return fn();
  });
  await begun;
  const waiting = await pool.queue(() => {});
  const delayed = await pool.queue(() => {}, { startAfter: new Date(clock.now() + 60_000) });
  const failures = Promise.all([running, waiting].map((task) => rejection(task.result())));
  await clock.passUntil(pool.stop({ timeoutMs: 500 }));
  for (const failure of await failures) expect(failure).toBeInstanceOf(PoolStoppedError);
  expect(reasons).toEqual([await rejection(running.result())]);
  // Nobody had asked for this one.
  expect(errors()).toMatchObject([{ obj: { err: { code: 'POOL_STOPPED' } } }]);
  expect(await rejection(delayed.result())).toBeInstanceOf(PoolStoppedError);
  expect(clock.numTimers).toBe(0);
});

it('a retry that stop aborts says so, and why it was to be tried again', async () => {
  const { pool, clock } = poolUnderTest();
  const lost = new Error('connection lost');
  const task = await pool.queue(() => Promise.reject(lost), {
    retries: 3,
    backoff: { delayMs: 60_000 },
  });
  const failure = rejection(task.result());
  await clock.passUntil(pool.stop({ timeoutMs: 500 }));
  expect(await failure).toMatchObject({ code: 'POOL_STOPPED', cause: lost });
});

it('stop ends before its time-out when all is done, and leaves no timer', async () => {
  const { pool, clock } = poolUnderTest();
  const { fn, end } = heldTask();
  await pool.queue(fn);
  const stopped = pool.stop({ timeoutMs: 60_000 });
  end();
  await stopped;
  expect(clock.numTimers).toBe(0);
});

it('a second stop can add a time-out', async () => {
  const { pool, clock } = poolUnderTest();
  const task = await pool.queue(heldTask().fn);
  const failure = rejection(task.result());
  const first = pool.stop();
  await turn();
  const second = pool.stop({ timeoutMs: 0 });
  await clock.passUntil(Promise.all([first, second]));
  expect(await failure).toBeInstanceOf(PoolStoppedError);
});

it.each([-1, Number.NaN])(
  'a time-out of %s is refused, and nothing is stopped',
  async (timeoutMs) => {
    await using pool = new TaskPool();
    await expect(pool.stop({ timeoutMs })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    expect(pool.isStopped).toBe(false);
  },
);

it('await using stops the pool', async () => {
  let isDone = false;
  let used: TaskPool | undefined;
  {
    await using pool = new TaskPool();
    used = pool;
    await pool.queue(async () => {
      await turn();
      isDone = true;
    });
  }
  expect(isDone).toBe(true);
  expect(used.isStopped).toBe(true);
});
