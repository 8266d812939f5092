import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InvalidOptionError } from '../../../src/index.js';
import {
  eventually,
  giveBack,
  own,
  ownOne,
  range,
  rejection,
  sortedIds,
  task,
} from '../../support/factories.js';
import { startManager } from '../../support/start-manager.js';
import { useTestDatabase } from '../../support/test-database.js';

const t = useTestDatabase();
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The clock, back at the server's time when the test ends. */
function movableClock() {
  onTestFinished(async () => {
    await t.db.clock.reset();
  });
  return t.db.clock;
}

async function inHours(hours: number): Promise<Date> {
  return new Date((await t.db.clock.now()).getTime() + hours * HOUR_MS);
}

/** A session of another process, for statements by hand. */
async function session(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: t.db.connectionString });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

describe('moving the clock', () => {
  it('adds up, and ends with reset()', async () => {
    const clock = movableClock();
    const before = Date.now();
    const moves = [clock.advance(HOUR_MS), clock.advance(2 * HOUR_MS), clock.advance(-1)];
    const last = (await Promise.all(moves)).at(-1)?.getTime() ?? 0;
    expect(last - before).toBeGreaterThanOrEqual(3 * HOUR_MS - 2);
    expect(last - before).toBeLessThan(3 * HOUR_MS + 60_000);
    await clock.reset();
    expect((await clock.now()).getTime() - Date.now()).toBeLessThan(60_000);
  });

  it('to a moment lets it go on from there; frozen, it stands still until unfrozen', async () => {
    const clock = movableClock();
    const future = new Date('2100-06-01T12:00:00Z');
    expect((await clock.set(future)).getTime()).toBeGreaterThanOrEqual(future.getTime());
    expect(await clock.freeze(future)).toEqual(future);
    expect(await clock.now()).toEqual(future);
    expect(await clock.advance(DAY_MS)).toEqual(new Date('2100-06-02T12:00:00Z'));
    expect(await clock.set(future)).toEqual(future);
    const unfrozen = await clock.unfreeze();
    expect(unfrozen.getTime()).toBeGreaterThanOrEqual(future.getTime());
    expect(unfrozen.getTime()).toBeLessThan(future.getTime() + 60_000);
  });

  it('by what is no number or to what is no date is refused, and changes nothing', async () => {
    const clock = movableClock();
    const frozen = await clock.freeze();
    expect(() => clock.advance(Number.NaN)).toThrow(InvalidOptionError);
    for (const move of [
      () => clock.set(new Date('no date')),
      () => clock.set(new Date(8e15)),
      () => clock.advance(1e16),
    ]) {
      expect(await rejection(move())).toBeInstanceOf(Error);
    }
    expect(await clock.now()).toEqual(frozen);
  });
});

describe('what follows the clock', () => {
  it('are start times', async () => {
    const clock = movableClock();
    const store = t.db.namespace();
    await store.insertTasks([task('later', { startAfter: await inHours(24) })]);
    expect(await own(store)).toEqual([]);
    await clock.advance(DAY_MS - 60_000);
    expect(await own(store)).toEqual([]);
    await clock.advance(60_000);
    expect(sortedIds(await own(store))).toEqual(['later']);
  });

  it('are retry delays, and snoozes to a time of it', async () => {
    const clock = movableClock();
    const store = t.db.namespace();
    await store.insertTasks([
      task('retried', { retry: { delayMs: HOUR_MS }, priority: 1 }),
      task('snoozed'),
    ]);
    const [retried, snoozed] = await own(store);
    if (!retried || !snoozed) throw new Error('both are ready');
    await giveBack(store, [retried], { statusCode: 'pending' });
    await giveBack(store, [snoozed], { statusCode: 'pending', startAfter: await inHours(2) });
    expect(await own(store)).toEqual([]);
    await clock.advance(HOUR_MS);
    expect(sortedIds(await own(store))).toEqual(['retried']);
    await clock.advance(HOUR_MS);
    expect(sortedIds(await own(store))).toEqual(['snoozed']);
  });

  it('are leases: one lapses as soon as its deadline is passed, though nobody looks', async () => {
    const clock = movableClock();
    const store = t.db.namespace();
    await store.insertTasks([task('a')]);
    const first = await ownOne(store, { maxDurationMs: 12 * HOUR_MS });
    await clock.advance(13 * HOUR_MS);
    expect((await store.getTask('a'))?.statusCode).toBe('pending');
    const second = await ownOne(store);
    expect(second).toMatchObject({ id: 'a', numTries: 2 });
    expect(await rejection(giveBack(store, [first]))).toMatchObject({ code: 'INVALID_TOKEN' });
    await giveBack(store, [second]);
  });

  it('are idle workers, in any process: they look again at once', async () => {
    const clock = movableClock();
    const other = await t.db.connect();
    const store = other.withPrefix('idle');
    const ids = ['in 1 h', 'in 2 h'];
    await store.insertTasks(
      await Promise.all(ids.map(async (id, i) => task(id, { startAfter: await inHours(i + 1) }))),
    );
    await startManager(store, () => {}, { waitTimeMs: 60_000 });
    for (const id of ids) {
      await clock.advance(HOUR_MS);
      await store.waitFor(id, { timeoutMs: 20_000 });
    }
  });
});

describe('what else follows the clock', () => {
  it('are uniqueness windows', async () => {
    const clock = movableClock();
    const store = t.db.namespace();
    const insert = async (id: string) =>
      (await store.insertUnique({ ...task(id), uniqueKey: 'key', uniqueForMs: HOUR_MS })).inserted;
    expect(await insert('a')).toBe(true);
    await giveBack(store, await own(store));
    expect(await insert('b')).toBe(false);
    await clock.advance(HOUR_MS);
    expect(await insert('c')).toBe(true);
  });

  it('are schedules, and a scheduler that looks', async () => {
    const clock = movableClock();
    const store = t.db.namespace('scheduled');
    await clock.set(new Date('2101-01-01T00:00:30Z'));
    await store.schedules.put({ name: 'hourly', cron: '0 * * * *', task: { action: 'work' } });
    expect((await store.schedules.fireDue()).fired).toEqual([]);
    await clock.advance(HOUR_MS);
    expect((await store.schedules.fireDue()).fired).toHaveLength(1);
    expect(await own(store)).toHaveLength(1);
    await store.schedules.remove('hourly');
  });

  it('are rate limits: an idle worker goes on when the interval is over', async () => {
    const clock = movableClock();
    const store = t.db.namespace('limited');
    await store.setLimits('api', { rateLimit: { count: 2, intervalMs: HOUR_MS } });
    await store.insertTasks(range(5).map((i) => task(`t${i}`, { limitKey: 'api' })));
    const done: string[] = [];
    await startManager(store, ({ id }) => void done.push(id), { waitTimeMs: 60_000 });
    for (const count of [2, 4, 5]) {
      // Returned, not only performed: what is in progress lapses when an hour passes.
      await eventually(async () => {
        const completed = await store.countTasks({ statusCodes: ['completed'] });
        expect(completed).toMatchObject([{ count }]);
      });
      expect(done).toHaveLength(count);
      const next = await clock.nextEventAt();
      if (count < 5) expect(next).not.toBeNull();
      await clock.advance(HOUR_MS);
    }
  });

  it('are the ages that cleaning goes by', async () => {
    const clock = movableClock();
    const store = t.db.namespace();
    await store.insertTasks([task('a')]);
    await giveBack(store, await own(store));
    expect(await store.cleanTasks({ minAgeMs: DAY_MS })).toBe(0);
    await clock.advance(DAY_MS);
    expect(await store.cleanTasks({ minAgeMs: DAY_MS })).toBe(1);
  });
});

describe('sessions that have used the clock before', () => {
  it('take up the new one with their next transaction, cached plans and all', async () => {
    const clock = movableClock();
    const { schema } = t.db;
    const sessions = [await session(), await session()];
    // Of a function in plpgsql, of one in SQL that is inlined, of a prepared statement: more than five calls make the plans generic.
    const queries = [
      `select * from ${schema}.own_tasks('me', '{default}', '{none}', 1)`,
      `select ${schema}.now() as now`,
      `select ${schema}.next_ready_at('{default}', '{none}') as at`,
    ];
    const askAll = async (client: pg.Client) => {
      const name = (text: string) => `q${queries.indexOf(text)}`;
      for (const text of queries) await client.query({ name: name(text), text });
    };
    for (const client of sessions) for (let i = 0; i < 8; i++) await askAll(client);
    const store = t.db.namespace('sessions');
    await store.insertTasks(
      ['a', 'b'].map((id) => task(id, { startAfter: new Date('2099-01-01') })),
    );
    await clock.freeze(new Date('2100-01-01'));
    for (const client of sessions) {
      const { rows } = await client.query({ name: 'q1', text: queries[1] ?? '' });
      expect(rows[0].now).toEqual(new Date('2100-01-01'));
      const owned = await client.query(
        `select started_at from ${schema}.own_tasks('me', '{default}', '{sessions.work}', 1) o
         join ${schema}.task using (id)`,
      );
      expect(owned.rows).toHaveLength(1);
    }
    const tasks = await store.getTasks(['a', 'b']);
    expect(tasks.map(({ startedAt }) => startedAt)).toEqual(
      sessions.map(() => new Date('2100-01-01')),
    );
  });
});

describe('the next event', () => {
  it('is the soonest start, retry or lapse of what has not ended; null when nothing waits for time', async () => {
    const clock = movableClock();
    const store = t.db.namespace();
    const start = await clock.freeze();
    const hours = (count: number) => new Date(start.getTime() + count * HOUR_MS);
    expect(await clock.nextEventAt()).toBeNull();
    await store.insertTasks([
      task('late', { startAfter: hours(5) }),
      task('soon', { startAfter: hours(1) }),
      task('held', { action: 'hold' }),
      task('done', { action: 'hold', priority: 1 }),
    ]);
    const [done] = await own(store, { actions: ['hold'], maxDurationMs: 2 * HOUR_MS });
    if (!done) throw new Error('it is ready');
    await giveBack(store, [done]);
    expect(await clock.nextEventAt()).toEqual(hours(1));
    await clock.set(hours(1));
    await giveBack(store, await own(store));
    expect(await clock.nextEventAt()).toEqual(hours(2));
    await store.cancelTasks(['held']);
    expect(await clock.nextEventAt()).toEqual(hours(5));
    await store.cancelTasks(['late']);
    expect(await clock.nextEventAt()).toBeNull();
  });
});
