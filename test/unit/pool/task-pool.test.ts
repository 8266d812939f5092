import { describe, expect, it } from 'vitest';
import { PoolStoppedError, PoolTaskError } from '../../../src/pool/pool-errors.js';
import { TaskPool } from '../../../src/pool/task-pool.js';
import { heldTask, poolUnderTest, rejection } from './pool-under-test.js';
import { turn } from './virtual-clock.js';

const CONSTANT = { delayMs: 50 };

/** How often a run of tasks was attempted, and how many of them ended well. */
interface Tally {
  numAttempts: number;
  numDone: number;
}

/** A task that fails so many times before it succeeds. */
function failing(numFailures: number, tally: Tally): () => void {
  let numLeft = numFailures;
  return () => {
    tally.numAttempts++;
    if (numLeft-- > 0) throw new Error('not yet');
    tally.numDone++;
  };
}

describe('a task pool', () => {
  it('completes 100 tasks', async () => {
    await using pool = new TaskPool({ workers: 4, queueSize: 50 });
    let numDone = 0;
    for (let i = 0; i < 100; i++) {
      await pool.queue(async () => {
        await turn();
        numDone++;
      });
    }
    await pool.stop();
    expect(numDone).toBe(100);
    expect(pool.size).toBe(0);
  });

  it('gives results, of functions that return at once as well', async () => {
    await using pool = new TaskPool();
    expect(await pool.run(() => 7)).toBe(7);
    const task = await pool.queue(async ({ attempt }) => `attempt ${attempt}`);
    expect(await task.result()).toBe('attempt 1');
    expect(await task.result()).toBe('attempt 1');
    expect(task.isSettled).toBe(true);
    expect(pool.size).toBe(0);
  });

  it('begins tasks in the order in which they were queued', async () => {
    await using pool = new TaskPool({ workers: 1, queueSize: 3 });
    const begun: number[] = [];
    const queued = Array.from({ length: 20 }, (_, i) => pool.queue(() => void begun.push(i)));
    await Promise.all(queued);
    await pool.stop();
    expect(begun).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it('refuses tasks once stopped', async () => {
    const pool = new TaskPool();
    await pool.stop();
    expect(pool.isStopped).toBe(true);
    await expect(pool.queue(() => {})).rejects.toThrow(PoolStoppedError);
    await expect(pool.run(() => {})).rejects.toMatchObject({ code: 'POOL_STOPPED' });
  });

  it('can be stopped twice, and another used after it', async () => {
    for (let round = 0; round < 2; round++) {
      const pool = new TaskPool();
      expect(pool.isStopped).toBe(false);
      expect(await pool.run(() => round)).toBe(round);
      await Promise.all([pool.stop(), pool.stop()]);
      await pool.stop();
      await pool.stop({ timeoutMs: 0 });
      expect(pool.isStopped).toBe(true);
    }
  });

  it('holds up queue() while workers and queue are full', async () => {
    const { pool } = poolUnderTest({ workers: 2, queueSize: 3 });
    const held = Array.from({ length: 5 }, () => heldTask());
    for (const { fn } of held) await pool.queue(fn);
    let isAccepted = false;
    const sixth = pool
      .queue(() => {})
      .then(() => {
        isAccepted = true;
      });
    await turn();
    expect(isAccepted).toBe(false);
    expect(pool).toMatchObject({ size: 5, numRunning: 2, numBlocked: 1 });
    held[0]?.end();
    await sixth;
    expect(pool).toMatchObject({ size: 5, numBlocked: 0 });
    for (const { end } of held) end();
    await pool.stop();
  });
});

describe('retries', () => {
  it('100 tasks that fail twice take 300 attempts, and all are done', async () => {
    const { pool, clock } = poolUnderTest();
    const tally = { numAttempts: 0, numDone: 0 };
    for (let i = 0; i < 100; i++) await pool.queue(failing(2, tally), { retries: 5 });
    await clock.passUntil(pool.stop());
    expect(tally).toEqual({ numAttempts: 300, numDone: 100 });
  });

  it('100 tasks that always fail, with a retry each, take 200 attempts, and none is done', async () => {
    const { pool, clock, errors } = poolUnderTest();
    const tally = { numAttempts: 0, numDone: 0 };
    for (let i = 0; i < 100; i++) await pool.queue(failing(1_000, tally), { retries: 1 });
    await clock.passUntil(pool.stop());
    expect(tally).toEqual({ numAttempts: 200, numDone: 0 });
    expect(errors()).toHaveLength(100);
  });

  it('50 that need a retry and 50 that need none take 150 attempts, and those without retries that fail are not done', async () => {
    const { pool, clock, errors } = poolUnderTest();
    const tally = { numAttempts: 0, numDone: 0 };
    for (let i = 0; i < 50; i++) {
      await pool.queue(failing(1, tally), { retries: 1 });
      await pool.queue(failing(1, tally));
    }
    await clock.passUntil(pool.stop());
    expect(tally).toEqual({ numAttempts: 150, numDone: 50 });
    expect(errors()).toHaveLength(50);
  });

  it('keep to a constant back-off', async () => {
    const { pool, clock } = poolUnderTest();
    const times: number[] = [];
    const task = await pool.queue(
      () => {
        times.push(clock.now());
        throw new Error('never');
      },
      { retries: 4, backoff: CONSTANT },
    );
    await clock.passUntil(rejection(task.result()));
    expect(task.numAttempts).toBe(5);
    expect(times.map((time) => time - (times[0] ?? 0))).toEqual([0, 50, 100, 150, 200]);
  });

  it('do not begin before their back-off is over', async () => {
    const { pool, clock } = poolUnderTest();
    let numAttempts = 0;
    const task = await pool.queue(
      () => {
        if (++numAttempts === 1) throw new Error('once');
      },
      { retries: 1, backoff: CONSTANT },
    );
    await clock.pass(49);
    expect(numAttempts).toBe(1);
    await clock.pass(1);
    expect(numAttempts).toBe(2);
    await task.result();
  });

  it('double from 100 ms up to a minute unless told otherwise', async () => {
    const { pool, clock } = poolUnderTest();
    await clock.passUntil(rejection(pool.run(() => Promise.reject(), { retries: 12 })));
    expect(clock.delays.slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(clock.delays.slice(-2)).toEqual([60_000, 60_000]);
  });

  it('wait as long as a function says', async () => {
    const { pool, clock } = poolUnderTest();
    const always = () => Promise.reject('no');
    const backoff = (attempt: number) => attempt * 7;
    await clock.passUntil(rejection(pool.run(always, { retries: 3, backoff })));
    expect(clock.delays).toEqual([7, 14, 21]);
  });

  it('leave their worker to others while they wait', async () => {
    const { pool, clock } = poolUnderTest({ workers: 1 });
    const task = await pool.queue(() => Promise.reject('no'), { retries: 1 });
    await turn();
    expect(pool).toMatchObject({ size: 1, numRunning: 0 });
    expect(await pool.run(() => 'meanwhile')).toBe('meanwhile');
    await clock.passUntil(rejection(task.result()));
  });
});

describe('tasks with a start time', () => {
  it('20 of them, some in the past, begin when it has come', async () => {
    const { pool, clock } = poolUnderTest({ workers: 3 });
    const zero = clock.now();
    const begun: { offset: number; at: number }[] = [];
    const offsets = Array.from({ length: 20 }, (_, i) => (i - 5) * 1_000);
    for (const offset of offsets.toReversed()) {
      const startAfter = new Date(zero + offset);
      await pool.queue(() => void begun.push({ offset, at: clock.now() - zero }), { startAfter });
    }
    await clock.passUntil(pool.stop());
    expect(begun).toHaveLength(20);
    for (const { offset, at } of begun) expect(at).toBe(Math.max(0, offset));
  });

  it('look at the clock again, should it have been set back', async () => {
    const { pool, clock } = poolUnderTest();
    const startAfter = new Date(clock.now() + 1_000);
    let at = 0;
    const task = await pool.queue(
      () => {
        at = clock.now();
      },
      { startAfter },
    );
    clock.set(clock.now() - 5_000);
    await clock.passUntil(task.result());
    expect(at).toBe(startAfter.getTime());
  });
});

describe('a task that fails for good', () => {
  it('says what it was, after how many retries, and lists the different errors', async () => {
    const { pool, clock } = poolUnderTest();
    const messages = ['refused', 'reset', 'refused', 'reset', 'refused', 'timed out'];
    const run = pool.run(
      ({ attempt }) => {
        throw new Error(messages[attempt - 1]);
      },
      { retries: 5, error: 'could not copy a.txt' },
    );
    const error = await clock.passUntil(rejection(run));
    if (!(error instanceof PoolTaskError)) throw error;
    expect(error.message).toBe('could not copy a.txt after 5 retries: refused; reset; timed out');
    expect(error.errors).toEqual([
      new Error('refused'),
      new Error('reset'),
      new Error('timed out'),
    ]);
    expect(error.numRetries).toBe(5);
    expect(error.cause).toEqual(new Error('timed out'));
  });

  it('is not logged if its result is asked for right after queue(), however fast it failed', async () => {
    const { pool, errors } = poolUnderTest();
    const queueForOthers = async () => {
      const task = await pool.queue(() => Promise.reject('asked'));
      for (let i = 0; i < 20; i++) await Promise.resolve();
      return task;
    };
    const task = await queueForOthers();
    expect(task.isSettled).toBe(true);
    const failure = rejection(task.result());
    await pool.stop();
    expect(await failure).toBeInstanceOf(PoolTaskError);
    expect(errors()).toEqual([]);
  });

  it('is logged if nobody asks for its result, and only then', async () => {
    const { pool, errors } = poolUnderTest();
    const asked = await pool.queue(() => Promise.reject('asked'));
    const failure = rejection(asked.result());
    await pool.queue(() => Promise.reject('unasked'));
    await pool.stop();
    await failure;
    expect(errors()).toMatchObject([{ obj: { err: { message: 'The task failed: unasked' } } }]);
  });
});
