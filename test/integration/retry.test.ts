import { describe, expect, it } from 'vitest';
import { clockedStore } from '../support/clocked-store.js';
import { giveBack, own, ownOne, range, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const pending = { statusCode: 'pending' } as const;

describe('retry until failed (parade 6)', () => {
  it('aborts after maxTries and counts as a failure downstream', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('a', { maxTries: 7, toSignalAfter: ['end'] }),
      task('end', { action: 'finish' }),
    ]);
    for (const round of range(7)) {
      expect(await own(store, { actions: ['finish'] })).toEqual([]);
      const owned = await ownOne(store);
      expect(owned).toMatchObject({ id: 'a', numTries: round + 1, maxTries: 7 });
      const [report] = await store.returnTasks([{ ...owned, statusCode: 'pending', status: 'no' }]);
      expect(report).toEqual({ id: 'a', ok: true, statusCode: round < 6 ? 'pending' : 'aborted' });
    }
    expect(await own(store)).toEqual([]);
    expect(await store.getTask('a')).toMatchObject({ statusCode: 'aborted', status: 'no' });
    const end = await ownOne(store, { actions: ['finish'] });
    expect(end).toMatchObject({ id: 'end', numSignalledFailures: 1 });
  });

  it('has no end without maxTries', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    for (const round of range(50)) {
      const owned = await ownOne(store);
      expect(owned).toMatchObject({ numTries: round + 1, maxTries: null });
      await giveBack(store, [owned], pending);
    }
  });
});

describe('the retry delay', () => {
  it.each([
    ['none', undefined, [0, 0, 0]],
    ['constant', { delayMs: 1000 }, [1000, 1000, 1000]],
    ['growing', { delayMs: 1000, factor: 2 }, [1000, 2000, 4000, 8000]],
    [
      'growing up to a limit',
      { delayMs: 1000, factor: 3, maxDelayMs: 5000 },
      [1000, 3000, 5000, 5000],
    ],
  ])('is %s', async (_, retry, delays) => {
    const { store, own, giveBack } = clockedStore(t);
    await store.insertTasks([task('a', retry ? { retry } : {})]);
    let now = 0;
    for (const delay of delays) {
      const owned = await own(now);
      expect(owned).toHaveLength(1);
      await giveBack(now, owned, pending);
      if (delay > 0) expect(await own(now + delay - 1)).toEqual([]);
      now += delay;
    }
    expect(await own(now)).toHaveLength(1);
  });

  it('goes before the next try after a lapse, too', async () => {
    const { store, own } = clockedStore(t);
    await store.insertTasks([task('a', { retry: { delayMs: 1000 } })]);
    await own(0, { maxDurationMs: 100 });
    // The lapse is noticed here, and the delay counts from then.
    expect(await own(150)).toEqual([]);
    expect(await own(1149)).toEqual([]);
    expect(await own(1150)).toMatchObject([{ numTries: 2 }]);
  });

  it('of a factor without limit does not overflow after a thousand tries', async () => {
    const { store, prefix, own, giveBack } = clockedStore(t);
    await store.insertTasks([task('a', { retry: { delayMs: 1, factor: 1000 } })]);
    const owned = await own(0);
    await t.pool.query('update task set num_tries = 1000 where id = $1', [`${prefix}a`]);
    expect(await giveBack(0, owned, pending)).toEqual([]);
    expect(await own(1e9)).toEqual([]);
    expect(await store.getTask('a')).toMatchObject({ statusCode: 'pending' });
  });
});

describe('a return that says after how long to come back', () => {
  it.each([
    ['longer', 5000],
    ['shorter', 10],
    ['at once', 0],
  ])(
    'is kept to where the task has no policy, and counts as a try: %s',
    async (_, retryDelayMs) => {
      const { store, own, giveBack } = clockedStore(t);
      await store.insertTasks([task('a', { maxTries: 2 })]);
      await giveBack(0, await own(0), { ...pending, retryDelayMs });
      if (retryDelayMs > 0) expect(await own(retryDelayMs - 1)).toEqual([]);
      const again = await own(retryDelayMs);
      expect(again).toMatchObject([{ id: 'a', numTries: 2 }]);
      const [report] = await giveBack(retryDelayMs, again, { ...pending, retryDelayMs });
      expect(report).toEqual({ id: 'a', statusCode: 'aborted' });
    },
  );

  it('gives way to the policy of the task, through the client, too', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { retry: { delayMs: 0 } })]);
    await giveBack(store, [await ownOne(store)], { ...pending, retryDelayMs: 1_000_000 });
    expect(await ownOne(store)).toMatchObject({ numTries: 2 });
  });
});

describe('jitter', () => {
  it('varies the delay by at most its part, and never over the longest delay', async () => {
    const { store, prefix, start, own, giveBack } = clockedStore(t);
    const retry = { delayMs: 1000, maxDelayMs: 1100, jitter: 0.5 };
    await store.insertTasks(range(300).map((i) => task(`t${i}`, { retry })));
    await giveBack(0, await own(0), pending);
    const { rows } = await t.pool.query<{ due_at: Date }>(
      'select due_at from task where starts_with(id, $1)',
      [prefix],
    );
    const delays = rows.map(({ due_at }) => due_at.getTime() - start.getTime());
    expect(delays).toHaveLength(300);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...delays)).toBe(1100);
    expect(new Set(delays).size).toBeGreaterThan(50);
  });
});

describe('a snooze', () => {
  it('comes back at its time and does not count the try', async () => {
    const { store, start, own, giveBack } = clockedStore(t);
    await store.insertTasks([task('a', { maxTries: 1 })]);
    for (const round of range(5)) {
      const owned = await own(round * 1000);
      expect(owned).toMatchObject([{ id: 'a', numTries: 1 }]);
      const startAfter = new Date(start.getTime() + (round + 1) * 1000);
      expect(await giveBack(round * 1000, owned, { ...pending, startAfter })).toEqual([]);
      expect(await own(round * 1000 + 999)).toEqual([]);
    }
    expect(await store.getTask('a')).toMatchObject({ statusCode: 'pending', numTries: 0 });
  });

  it('goes before the retry delay, and to a past time comes back at once', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { maxTries: 1, retry: { delayMs: 1_000_000 } })]);
    const owned = await ownOne(store);
    await store.returnTask('a', owned.token, { ...pending, startAfter: new Date(0) });
    expect(await ownOne(store)).toMatchObject({ id: 'a', numTries: 1 });
  });
});

describe('a retry', () => {
  it('goes to the end of its lane', async () => {
    const store = t.namespace();
    await store.insertTasks(range(3).map((i) => task(`t${i}`)));
    await giveBack(store, await own(store, { maxTasks: 1 }), pending);
    expect((await own(store)).map(({ id }) => id)).toEqual(['t1', 't2', 't0']);
  });

  it('keeps the failures that were signalled to the task', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { toSignalAfter: ['b'] }), task('b')]);
    await giveBack(store, [await ownOne(store)], { statusCode: 'aborted' });
    for (let round = 0; round < 3; round++) {
      const owned = await ownOne(store);
      expect(owned).toMatchObject({ id: 'b', numSignalledFailures: 1 });
      await giveBack(store, [owned], pending);
    }
  });
});

describe('startAfter at insert', () => {
  it('keeps a task back until then, once its dependencies have signalled', async () => {
    const { store, prefix, start, own, giveBack, runTimers } = clockedStore(t);
    const startAfter = new Date(start.getTime() + 5000);
    await store.insertTasks([
      task('alone', { startAfter }),
      task('first', { toSignalAfter: ['early', 'late'] }),
      task('early', { startAfter }),
      task('late', { startAfter, totalDependencies: 2 }),
    ]);
    const owned = await own(0);
    expect(owned).toMatchObject([{ id: 'first' }]);
    await giveBack(0, owned, { statusCode: 'completed' });
    await runTimers(4999);
    expect(await own(4999)).toEqual([]);
    expect((await own(5000)).map(({ id }) => id).sort()).toEqual(['alone', 'early']);
    // Past its time already when its last signal comes: ready at once.
    const late = [[`${prefix}late`], new Date(start.getTime() + 5001)];
    await t.pool.query('select signal_tasks($1, false, $2)', late);
    expect(await own(5001)).toMatchObject([{ id: 'late' }]);
  });

  it('in the past is no delay', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { startAfter: new Date(0) })]);
    expect(await ownOne(store)).toMatchObject({ id: 'a' });
  });
});
