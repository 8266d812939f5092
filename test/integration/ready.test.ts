import pg from 'pg';
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { eventually, giveBack, own, ownOne, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const LONG = { timeoutMs: 30_000 };
const request = { actions: ['work'] };

/** Resolves when so many lanes are slept on. */
async function untilAsleep(count = 1): Promise<void> {
  await eventually(async () => {
    const { rows } = await t.pool.query(
      'select count(*)::int as count from sleeper where until > clock_timestamp()',
    );
    expect(rows[0].count).toBe(count);
  });
}

async function elapsedMs(promise: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await promise;
  return performance.now() - start;
}

describe('an idle worker is woken', () => {
  it('by an insert', async () => {
    const store = t.namespace();
    const woken = elapsedMs(store.waitForReady(request, LONG));
    await untilAsleep();
    await store.insertTasks([task('a')]);
    expect(await woken).toBeLessThan(5_000);
    expect(await ownOne(store)).toMatchObject({ id: 'a' });
  });

  it('by a return that signals the last dependency', async () => {
    const store = t.namespace();
    await store.insertTasks([task('dep', { action: 'first', toSignalAfter: ['a'] }), task('a')]);
    const owned = await own(store, { actions: ['first'] });
    const woken = elapsedMs(store.waitForReady(request, LONG));
    await untilAsleep();
    await giveBack(store, owned);
    expect(await woken).toBeLessThan(5_000);
  });

  it('by a return for another try', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const owned = await own(store);
    const woken = elapsedMs(store.waitForReady(request, LONG));
    await untilAsleep();
    await giveBack(store, owned, { statusCode: 'pending' });
    expect(await woken).toBeLessThan(5_000);
  });

  it('by a start time that comes', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { startAfter: new Date(Date.now() + 300) })]);
    const woken = elapsedMs(store.waitForReady(request, LONG));
    expect(await woken).toBeLessThan(5_000);
    await eventually(async () => expect(await own(store)).toHaveLength(1));
  });

  it('by a lease that lapses', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    await own(store, { maxDurationMs: 300 });
    expect(await elapsedMs(store.waitForReady(request, LONG))).toBeLessThan(5_000);
    await eventually(async () => expect(await own(store)).toHaveLength(1));
  });

  it('at once when something is ready already', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    expect(await elapsedMs(store.waitForReady(request, LONG))).toBeLessThan(5_000);
  });

  it('when its signal fires, and when the time is up', async () => {
    const store = t.namespace();
    const abort = new AbortController();
    const waiting = elapsedMs(store.waitForReady(request, { ...LONG, signal: abort.signal }));
    await untilAsleep();
    abort.abort();
    expect(await waiting).toBeLessThan(5_000);
    await store.waitForReady(request, { timeoutMs: 50 });
  });

  it('not by a task of a lane that it does not sleep on', async () => {
    const store = t.namespace();
    await t.pool.query('delete from sleeper');
    const waiting = store.waitForReady(request, { timeoutMs: 400 });
    await untilAsleep();
    await store.insertTasks([task('other', { action: 'other' }), task('far', { queue: 'far' })]);
    const { rows } = await t.pool.query('select 1 from sleeper');
    expect(rows).toHaveLength(1);
    await waiting;
  });
});

describe('an idle wait', () => {
  it('costs a few queries, however long it is', async () => {
    const pool = new pg.Pool({ connectionString: inject('connectionString'), max: 2 });
    onTestFinished(() => pool.end());
    const box = await t.another({ pool, listenConnectionString: inject('connectionString') });
    const query = vi.spyOn(pool, 'query');
    await box.withPrefix('idle').waitForReady(request, { timeoutMs: 1_000 });
    // The version, the word that it sleeps, the question what is ready.
    expect(query.mock.calls.length).toBeLessThanOrEqual(4);
  });

  it('of many workers of a process shares one connection', async () => {
    const url = inject('connectionString');
    const name = `${t.schema}-ready`;
    const box = await t.another({
      listenConnectionString: `${url}${url.includes('?') ? '&' : '?'}application_name=${name}`,
    });
    await t.pool.query('delete from sleeper');
    const store = box.withPrefix('many');
    const waiting = Array.from({ length: 50 }, (_, i) =>
      store.waitForReady({ actions: [`work${i}`] }, LONG),
    );
    await untilAsleep(50);
    const { rows } = await t.pool.query(
      'select 1 from pg_stat_activity where application_name = $1',
      [name],
    );
    expect(rows).toHaveLength(1);
    await box.close();
    await Promise.all(waiting);
  });

  // A wait says that it sleeps in one statement and asks what is ready in the next: close() comes before either.
  it('ends with its box, which lets it say its last word', async () => {
    const box = await t.another();
    await t.pool.query('delete from sleeper');
    const store = box.withPrefix('closing');
    const asleep = store.waitForReady({ actions: ['asleep'] }, LONG);
    await untilAsleep();
    const beginning = store.waitForReady({ actions: ['beginning'] }, LONG);
    await box.close();
    expect(await Promise.all([asleep, beginning])).toEqual([false, false]);
    expect((await t.pool.query('select 1 from sleeper')).rows).toHaveLength(0);
  });
});

/** Resolves when so many processes sleep on the action's lane. */
async function untilAsleepOn(action: string, count: number): Promise<void> {
  await eventually(async () => {
    const { rows } = await t.pool.query('select channel from sleeper where action = $1', [action]);
    expect(rows).toHaveLength(count);
  });
}

describe('a worker that stops sleeping before its time', () => {
  it('takes its word back, so that it is not woken in the place of another', async () => {
    const [leaving, staying] = [await t.another(), await t.another()];
    const stop = new AbortController();
    const gone = leaving.waitForReady({ actions: ['leave'] }, { ...LONG, signal: stop.signal });
    await untilAsleepOn('leave', 1);
    const woken = elapsedMs(staying.waitForReady({ actions: ['leave'] }, LONG));
    await untilAsleepOn('leave', 2);
    stop.abort();
    await gone;
    await untilAsleepOn('leave', 1);
    await t.box.insertTasks([{ ...task('one'), action: 'leave' }]);
    expect(await woken).toBeLessThan(5_000);
  });

  it('leaves another of its process asleep, by a word of its own', async () => {
    const process = await t.another();
    const stop = new AbortController();
    const gone = process.waitForReady({ actions: ['share'] }, { ...LONG, signal: stop.signal });
    await untilAsleepOn('share', 1);
    const other = process.waitForReady({ actions: ['share'] }, LONG);
    stop.abort();
    await Promise.all([gone, other]);
    await untilAsleepOn('share', 0);
  });
});
