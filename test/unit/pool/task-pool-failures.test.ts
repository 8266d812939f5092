import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../src/errors.js';
import type { PoolFunction } from '../../../src/pool/attempt.js';
import { PoolTaskCancelledError, PoolTaskError } from '../../../src/pool/pool-errors.js';
import { TaskPool } from '../../../src/pool/task-pool.js';
import { heldTask, poolUnderTest, rejection } from './pool-under-test.js';
import { turn } from './virtual-clock.js';

/** An object that cannot be looked at. */
const HOSTILE = {
  get [Symbol.toStringTag]() {
    throw new Error('do not look');
  },
};

const THROWERS: readonly (readonly [string, PoolFunction<void>])[] = [
  ['a throw', thrower(new Error('x'))],
  ['a rejection', () => Promise.reject(new Error('x'))],
  ['a string', thrower('x')],
  ['nothing', thrower(undefined)],
  ['null', thrower(null)],
  ['a symbol', thrower(Symbol('x'))],
  ['an object without a prototype', thrower(Object.create(null))],
  ['an object that throws when it is looked at', thrower(HOSTILE)],
  ['an error without a message', thrower(new TypeError())],
  ['a thenable that throws', () => thenable(thrower(new Error('x')))],
];

function thrower(thrown: unknown): () => never {
  return () => {
    throw thrown;
  };
}

function thenable(then: () => never): PromiseLike<void> {
  return { then };
}

describe('whatever a task throws', () => {
  it.each(THROWERS)('its worker lives on: %s', async (_, fn) => {
    const { pool } = poolUnderTest({ workers: 1 });
    const failure = await rejection(pool.run(fn));
    expect(failure).toBeInstanceOf(PoolTaskError);
    expect(await pool.run(() => 'alive')).toBe('alive');
    await pool.stop();
  });

  it('is tried again as often as asked', async () => {
    for (const [, fn] of THROWERS) {
      const { pool, clock } = poolUnderTest();
      const task = await pool.queue(fn, { retries: 2 });
      await clock.passUntil(rejection(task.result()));
      expect(task.numAttempts).toBe(3);
    }
  });

  it('a logger that throws harms neither worker nor task', async () => {
    const refuse = thrower(new Error('disk full'));
    const logger = { debug: refuse, info: refuse, warn: refuse, error: refuse };
    const { pool, clock } = poolUnderTest({ workers: 1, logger });
    const task = await pool.queue(
      ({ attempt }) => {
        if (attempt === 1) throw new Error('once');
        return 'done';
      },
      { retries: 1 },
    );
    expect(await clock.passUntil(task.result())).toBe('done');
    await pool.stop();
  });
});

describe('the final error', () => {
  it('keeps the cause that was given as an Error', async () => {
    const { pool } = poolUnderTest();
    const error = new TypeError('could not copy');
    const failure = await rejection(pool.run(thrower('no disk'), { error }));
    expect(failure).toMatchObject({ message: 'could not copy: no disk', cause: error });
  });

  it('speaks of one retry in the singular', async () => {
    const { pool, clock } = poolUnderTest();
    const failure = rejection(pool.run(thrower('no'), { retries: 1 }));
    expect(await clock.passUntil(failure)).toMatchObject({
      message: 'The task failed after 1 retry: no',
    });
  });

  it('lists ten errors and keeps a hundred, however many there were', async () => {
    const { pool, clock } = poolUnderTest();
    const run = pool.run(({ attempt }) => Promise.reject(new Error(`no ${attempt}`)), {
      retries: 199,
      backoff: () => 0,
    });
    const failure = await clock.passUntil(rejection(run));
    if (!(failure instanceof PoolTaskError)) throw failure;
    expect(failure.errors).toHaveLength(100);
    expect(failure.message).toMatch(
      /^The task failed after 199 retries: no 1; .*no 10; and at least 90 more$/,
    );
    expect(failure.cause).toEqual(new Error('no 200'));
  });

  it('comes at once after a PermanentError', async () => {
    const { pool } = poolUnderTest();
    const task = await pool.queue(thrower(new PermanentError('gone')), { retries: 5 });
    expect(await rejection(task.result())).toMatchObject({ message: 'The task failed: gone' });
    expect(task.numAttempts).toBe(1);
  });

  it.each([
    ['throws', thrower(new Error('broken back-off'))],
    ['gives no delay', () => Number.NaN],
    ['gives a negative one', () => -1],
    ['gives an endless one', () => Number.POSITIVE_INFINITY],
  ])('comes with that of a back-off that %s', async (_, backoff) => {
    const { pool } = poolUnderTest();
    const failure = await rejection(pool.run(thrower('no'), { retries: 5, backoff }));
    if (!(failure instanceof PoolTaskError)) throw failure;
    expect(failure.errors).toHaveLength(2);
    expect(pool.size).toBe(0);
  });
});

describe('a time-out', () => {
  it('fires the signal, frees the worker and counts as a failed attempt', async () => {
    const { pool, clock } = poolUnderTest({ workers: 1 });
    const signals: AbortSignal[] = [];
    const run = pool.run(
      ({ signal }) => {
        signals.push(signal);
        return new Promise(() => {});
      },
      { timeoutMs: 200, retries: 1 },
    );
    const failure = await clock.passUntil(rejection(run));
    expect(failure).toMatchObject({
      message: 'The task failed after 1 retry: an attempt took longer than 200 ms',
      cause: { code: 'POOL_TASK_TIMEOUT', timeoutMs: 200 },
    });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(await pool.run(() => 'free')).toBe('free');
  });

  it('stands: what the function makes of it later is dropped', async () => {
    const { pool, clock } = poolUnderTest();
    const [late, failing] = [heldTask<string>(), heldTask<string>()];
    const failures = [late, failing].map(({ fn }) => rejection(pool.run(fn, { timeoutMs: 10 })));
    await clock.pass(10);
    late.end('too late');
    failing.fail(new Error('too late'));
    for (const failure of failures) expect(await failure).toBeInstanceOf(PoolTaskError);
  });

  it('leaves no timer when the attempt ends before', async () => {
    const { pool, clock } = poolUnderTest();
    await pool.run(() => {}, { timeoutMs: 60_000 });
    expect(clock.numTimers).toBe(0);
  });
});

describe('a signal', () => {
  it('cancels a task wherever it stands', async () => {
    const { pool, clock } = poolUnderTest({ workers: 1, queueSize: 3 });
    const cancel = new AbortController();
    const { signal } = cancel;
    const { fn, begun } = heldTask();
    const runs = [pool.run(fn, { signal })];
    await begun;
    runs.push(pool.run(fn, { signal }));
    runs.push(pool.run(fn, { signal, startAfter: new Date(clock.now() + 1_000) }));
    for (let i = 0; i < 20; i++) runs.push(pool.run(fn, { signal }));
    const failures = Promise.all(runs.map(rejection));
    await turn();
    expect(pool).toMatchObject({ numRunning: 1, size: 4, numBlocked: 19 });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    cancel.abort('enough');
    for (const failure of await failures) {
      expect(failure).toBeInstanceOf(PoolTaskCancelledError);
      expect(failure).toMatchObject({ cause: 'enough' });
    }
    expect(pool).toMatchObject({ numRunning: 0, size: 0, numBlocked: 0 });
    expect(clock.numTimers).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(await pool.run(() => 'free')).toBe('free');
  });

  it('cancels a retry that waits', async () => {
    const { pool, clock } = poolUnderTest();
    const cancel = new AbortController();
    const task = await pool.queue(thrower('no'), { retries: 1, signal: cancel.signal });
    const failure = rejection(task.result());
    await turn();
    cancel.abort();
    expect(await failure).toBeInstanceOf(PoolTaskCancelledError);
    expect(clock.numTimers).toBe(0);
  });

  it('reaches the function that runs', async () => {
    const { pool } = poolUnderTest();
    const cancel = new AbortController();
    const { fn, begun } = heldTask();
    let seen: AbortSignal | undefined;
    const run = pool.run(
      (context) => {
        seen = context.signal;
        return fn();
      },
      { signal: cancel.signal },
    );
    const failure = rejection(run);
    await begun;
    cancel.abort();
    expect(seen?.reason).toBe(await failure);
  });

  it('ends the retries of a task that runs', async () => {
    const { pool, clock } = poolUnderTest();
    const cancel = new AbortController();
    const { fn, begun, numBegun } = heldTask();
    const failure = rejection(pool.run(fn, { retries: 5, signal: cancel.signal }));
    await begun;
    cancel.abort();
    expect(await failure).toBeInstanceOf(PoolTaskCancelledError);
    await turn();
    expect(clock.numTimers).toBe(0);
    expect(numBegun()).toBe(1);
  });

  it('that has fired already lets nothing begin', async () => {
    const { pool } = poolUnderTest();
    const { fn, numBegun } = heldTask();
    const failure = await rejection(pool.queue(fn, { signal: AbortSignal.abort() }));
    expect(failure).toBeInstanceOf(PoolTaskCancelledError);
    await pool.stop();
    expect(numBegun()).toBe(0);
  });
});

describe('options that cannot be kept to are refused', () => {
  it.each([
    ['workers', { workers: 0 }],
    ['workers', { workers: 1.5 }],
    ['queueSize', { queueSize: 0 }],
    ['queueSize', { queueSize: Number.POSITIVE_INFINITY }],
  ])('of the pool: %s, %o', (option, options) => {
    expect(() => new TaskPool(options)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', option }),
    );
  });

  it.each([
    ['retries', { retries: -1 }],
    ['retries', { retries: 0.5 }],
    ['retries', { retries: Number.NaN }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['timeoutMs', { timeoutMs: Number.NaN }],
    ['startAfter', { startAfter: new Date(Number.NaN) }],
    ['backoff.delayMs', { backoff: { delayMs: -1 } }],
    ['backoff.factor', { backoff: { delayMs: 1, factor: 0.5 } }],
    ['backoff.maxDelayMs', { backoff: { delayMs: 1, maxDelayMs: Number.NaN } }],
    ['backoff.jitter', { backoff: { delayMs: 1, jitter: 2 } }],
  ])('of a task: %s, %o', async (option, options) => {
    await using pool = new TaskPool();
    const failure = await rejection(pool.queue(() => {}, options));
    expect(failure).toMatchObject({ code: 'INVALID_OPTION', option });
    expect(pool).toMatchObject({ size: 0, numBlocked: 0 });
  });
});
