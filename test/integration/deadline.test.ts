import { describe, expect, it } from 'vitest';
import { InvalidTokenError } from '../../src/index.js';
import { clockedStore } from '../support/clocked-store.js';
import { milestone, own, ownOne, range, rejection, statuses, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const UNKNOWN_TOKEN = '00000000-0000-4000-8000-000000000000';
const MINUTES = 60_000;

describe('a deadline (parade 3)', () => {
  it('lets a second actor own the task after it, and not before', async () => {
    const { store, own } = clockedStore(t);
    await store.insertTasks([task('111')]);
    const [first] = await own(0, { actorId: 'first', maxDurationMs: 1000 });
    expect(first).toMatchObject({ id: '111', numTries: 1, deadlineMs: 1000 });
    expect(await own(1, { actorId: 'second' })).toEqual([]);
    expect(await own(999, { actorId: 'second' })).toEqual([]);
    expect(await own(2000, { actorId: 'second' })).toMatchObject([{ id: '111', numTries: 2 }]);
    expect(await store.getTask('111')).toMatchObject({ actorId: expect.stringMatching(/second$/) });
  });

  it('of a task goes before that of its owner; without either it never lapses', async () => {
    const { store, own } = clockedStore(t);
    await store.insertTasks([task('own', { maxDurationMs: 500 }), task('never')]);
    const first = await own(0, { maxTasks: 1, maxDurationMs: 9000 });
    expect(first).toMatchObject([{ id: 'own', deadlineMs: 500 }]);
    expect(await own(0)).toMatchObject([{ id: 'never', deadlineMs: null }]);
    expect(await own(1e10)).toMatchObject([{ id: 'own' }]);
  });

  it('far away is watched without a timer that lies there as long', async () => {
    const { store, own, runTimers } = clockedStore(t);
    await store.insertTasks(range(50).map((i) => task(`t${i}`)));
    await own(0, { maxDurationMs: 60 * MINUTES });
    for (const at of [6, 12, 30, 59]) await runTimers(at * MINUTES);
    expect(await own(59 * MINUTES)).toEqual([]);
    expect(await own(60 * MINUTES)).toHaveLength(50);
  });

  it('leaves the status that says whose try lapsed', async () => {
    const { store, own, runTimers } = clockedStore(t);
    await store.insertTasks([task('a', { maxTries: 1 })]);
    await own(0, { maxDurationMs: 100 });
    await runTimers(101);
    const { statusCode, status } = (await store.getTask('a')) ?? {};
    expect(statusCode).toBe('aborted');
    expect(status).toMatch(/deadline of try 1 by actor .*me lapsed/);
  });
});

describe('tries and lapses mixed (parade 7)', () => {
  it('count alike: after seven the task is aborted and its target learns of the failure', async () => {
    const { store, own, giveBack } = clockedStore(t);
    await store.insertTasks([
      task('a', { maxTries: 7, toSignalAfter: ['end'] }),
      task('end', { action: 'finish' }),
    ]);
    for (const round of range(7)) {
      const owned = await own(round * 1000, { maxDurationMs: 250 });
      expect(owned).toMatchObject([{ id: 'a', numTries: round + 1 }]);
      if (round % 2 === 1) await giveBack(round * 1000 + 10, owned, { statusCode: 'pending' });
    }
    expect(await own(7000)).toEqual([]);
    expect(await store.getTask('a')).toMatchObject({ statusCode: 'aborted', numTries: 7 });
    expect(await own(7000, { action: 'finish' })).toMatchObject([{ id: 'end', numFailures: 1 }]);
  });
});

describe('extending (parade 8)', () => {
  it('with an unknown token is refused', async () => {
    const store = t.namespace();
    await store.insertTasks([task('111')]);
    await own(store, { maxDurationMs: 60_000 });
    const error = await rejection(store.extendTaskDeadline('111', UNKNOWN_TOKEN, 60_000));
    expect(error).toBeInstanceOf(InvalidTokenError);
    expect(error).toMatchObject({ id: '111' });
    await expect(store.extendTaskDeadline('111', 'no uuid', 60_000)).rejects.toThrow(
      InvalidTokenError,
    );
    await expect(store.extendTaskDeadline('ghost', UNKNOWN_TOKEN, 1)).rejects.toThrow(
      InvalidTokenError,
    );
  });

  it('keeps another actor away until the new deadline', async () => {
    const { store, own, extend } = clockedStore(t);
    await store.insertTasks([task('111')]);
    const owned = await own(0, { maxDurationMs: 100 });
    expect(await extend(50, owned, 1000)).toEqual(['111']);
    expect(await own(300, { actorId: 'second' })).toEqual([]);
    expect(await own(1049, { actorId: 'second' })).toEqual([]);
    expect(await own(1051, { actorId: 'second' })).toMatchObject([{ id: '111' }]);
  });

  it('to an earlier deadline lets it lapse then', async () => {
    const { store, own, extend } = clockedStore(t);
    await store.insertTasks([task('111')]);
    const owned = await own(0, { maxDurationMs: 10 * MINUTES });
    expect(await extend(0, owned, 100)).toEqual(['111']);
    expect(await own(101)).toMatchObject([{ id: '111', numTries: 2 }]);
  });

  it('gives a deadline to an ownership that had none', async () => {
    const { store, own, extend } = clockedStore(t);
    await store.insertTasks([task('111')]);
    const owned = await own(0);
    expect(await extend(0, owned, 100)).toEqual(['111']);
    expect(await own(101)).toMatchObject([{ id: '111' }]);
  });

  it('of a batch tells which are still held', async () => {
    const store = t.namespace();
    await store.insertTasks(['a', 'b', 'c'].map((id) => task(id)));
    const held = await own(store, { maxDurationMs: 60_000 });
    const [a, b, c] = held;
    await store.returnTask('a', a?.token ?? '', { statusCode: 'completed' });
    await store.cancelTasks(['b']);
    const ownerships = held.map(({ id, token }) => ({ id, token }));
    expect(await store.extendTaskDeadlines(ownerships, 120_000)).toEqual(['c']);
    expect([b, c].map((one) => one?.id)).toEqual(['b', 'c']);
    const deadline = (await store.getTask('c'))?.deadline?.getTime() ?? 0;
    expect(deadline).toBeGreaterThan(Date.now() + 60_000);
    expect(await store.extendTaskDeadlines([], 1)).toEqual([]);
  });
});

describe('extending a task by a time of its own', () => {
  it('goes before the time for all; null: it never lapses', async () => {
    const store = t.namespace();
    await store.insertTasks(['a', 'b', 'c'].map((id) => task(id)));
    const held = await own(store, { maxDurationMs: 1_000 });
    const durations: Record<string, { maxDurationMs?: number | null }> = {
      a: { maxDurationMs: 3_600_000 },
      b: { maxDurationMs: null },
      c: {},
    };
    const before = Date.now();
    const ownerships = held.map(({ id, token }) => ({ id, token, ...durations[id] }));
    expect(await store.extendTaskDeadlines(ownerships, 60_000)).toHaveLength(3);
    const deadlineOf = async (id: string) => (await store.getTask(id))?.deadline?.getTime() ?? null;
    expect(await deadlineOf('a')).toBeGreaterThan(before + 3_590_000);
    expect(await deadlineOf('b')).toBeNull();
    expect(await deadlineOf('c')).toBeLessThan(before + 600_000);
  });
});

describe('after the deadline', () => {
  const finish = { statusCode: 'completed' } as const;

  it('a return still counts while nobody has noticed the lapse', async () => {
    const { store, own, giveBack } = clockedStore(t);
    await store.insertTasks([task('a')]);
    const owned = await own(0, { maxDurationMs: 100 });
    expect(await giveBack(200, owned, finish)).toEqual([]);
    expect(await own(300)).toEqual([]);
    expect(await statuses(store)).toEqual({ a: 'completed' });
  });

  it('an extension still counts while nobody has noticed the lapse', async () => {
    const { store, own, extend } = clockedStore(t);
    await store.insertTasks([task('a')]);
    const owned = await own(0, { maxDurationMs: 100 });
    expect(await extend(200, owned, 100)).toEqual(['a']);
    expect(await own(299)).toEqual([]);
    expect(await own(301)).toMatchObject([{ id: 'a', numTries: 2 }]);
  });

  it('a return and an extension are refused once another owner came, and change nothing', async () => {
    const { store, start, own, giveBack, extend } = clockedStore(t);
    await store.insertTasks([task('a', { toSignalAfter: ['b'] }), task('b', { action: 'never' })]);
    const late = await own(0, { actorId: 'first', maxDurationMs: 100 });
    await own(200, { actorId: 'second', maxDurationMs: 100 });

    expect(await giveBack(201, late, finish)).toEqual([{ id: 'a', statusCode: null }]);
    expect(await extend(201, late, 1000)).toEqual([]);
    await expect(store.returnTask('a', late[0]?.token ?? '', finish)).rejects.toThrow(
      InvalidTokenError,
    );

    expect(await store.getTask('a')).toMatchObject({
      statusCode: 'in-progress',
      deadline: new Date(start.getTime() + 300),
    });
    expect(await store.getTask('b')).toMatchObject({ numSignals: 0 });
  });

  it('a return is refused once the lapse was noticed, though nobody owns the task', async () => {
    const { store, own, runTimers, giveBack } = clockedStore(t);
    await store.insertTasks([task('a')]);
    const late = await own(0, { maxDurationMs: 100 });
    await runTimers(200);
    expect(await giveBack(201, late, finish)).toEqual([{ id: 'a', statusCode: null }]);
    expect(await statuses(store)).toEqual({ a: 'pending' });
  });
});

describe('the last try', () => {
  it('that lapses aborts the task and sets off what follows (difference 2)', async () => {
    const { store, own, runTimers } = clockedStore(t);
    await store.insertTasks([
      task('a', { maxTries: 1, toSignalAfter: ['gate'] }),
      milestone('gate', { toSignalAfter: ['end'] }),
      task('end'),
    ]);
    await own(0, { maxDurationMs: 100 });
    await runTimers(101);
    expect(await statuses(store)).toEqual({ a: 'aborted', gate: 'completed', end: 'pending' });
    expect(await ownOne(store)).toMatchObject({ id: 'end' });
  });
});

describe('a task owned ahead', () => {
  it('gets its try back when its owner goes away, however often, and is there at once', async () => {
    const { store, prefix, own, runTimers } = clockedStore(t);
    await store.insertTasks([task('a', { maxTries: 1, retry: { delayMs: 60_000 } })]);
    for (const round of range(5)) {
      expect(await own(round * 1000, { maxDurationMs: 100 })).toMatchObject([{ numTries: 1 }]);
      await t.pool.query('update task set started_at = null where id = $1', [`${prefix}a`]);
      await runTimers(round * 1000 + 100);
    }
    expect(await store.getTask('a')).toMatchObject({ statusCode: 'pending', numTries: 0 });
  });

  it('costs the try once it has begun; who no longer holds it is told', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { maxTries: 1 }), task('b'), task('c')]);
    const held = await own(store, { maxDurationMs: 60_000 });
    await t.pool.query(`update task set started_at = null where status_code = 'in-progress'`);
    await store.cancelTasks(['b']);
    const stale = { id: 'c', token: UNKNOWN_TOKEN };
    expect(await store.beginTasks([...held.slice(0, 2), stale])).toEqual(['a']);
    expect(await store.getTask('a')).toMatchObject({ startedAt: expect.any(Date) });
    expect(await store.getTask('c')).toMatchObject({ startedAt: null });
    await t.pool.query(`select run_timers(now() + interval '1 hour')`);
    expect(await statuses(store)).toEqual({ a: 'aborted', b: 'cancelled', c: 'pending' });
    expect(await store.beginTasks([])).toEqual([]);
  });
});

describe('thousands of lapses at once', () => {
  it('are taken back by a bounded number of calls, each once', async () => {
    const { store, own } = clockedStore(t);
    await store.insertTasks(range(5000).map((i) => task(`t${i}`)));
    for (let i = 0; i < 10; i++) await own(0, { maxTasks: 500, maxDurationMs: 100 });
    const again = new Set<string>();
    for (let call = 0; call < 10; call++) {
      for (const { id, numTries } of await own(200, { maxTasks: 1000 })) {
        expect(again.has(id)).toBe(false);
        expect(numTries).toBe(2);
        again.add(id);
      }
    }
    expect(again.size).toBe(5000);
  });
});
