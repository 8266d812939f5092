import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ScheduleInput, Scheduler, type TaskStore } from '../../src/index.js';
import {
  drain,
  eventually,
  giveBack,
  listedIds,
  own,
  range,
  rejection,
} from '../support/factories.js';
import { SchemaClock } from '../support/schema-clock.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const clock = new SchemaClock(t);
const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 1);

function minute(count: number): Date {
  return new Date(START_MS + count * MINUTE_MS);
}

function minutely(more: object = {}): ScheduleInput {
  return { name: 's', everyMs: MINUTE_MS, task: { action: 'work' }, ...more };
}

/** The ids of the tasks of `s` for these minutes. */
function ids(...minutes: number[]): string[] {
  return minutes.map((count) => `s/${minute(count).toISOString()}`);
}

/** Fires at so many minutes; the ids fired. */
async function fireAt(store: TaskStore, count: number): Promise<readonly string[]> {
  await clock.set(minute(count));
  return (await store.schedules.fireDue()).fired;
}

beforeEach(() => clock.set(minute(0)));

describe('firing', () => {
  it('inserts the task with the due time in its id, and says when the next is due', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely({ task: { action: 'work', body: { a: 1 }, queue: 'q' } }));
    expect(await store.schedules.fireDue()).toEqual({
      fired: [],
      failures: [],
      numHeld: 0,
      nextDueInMs: MINUTE_MS,
    });
    await clock.set(minute(1.25));
    expect(await store.schedules.fireDue()).toEqual({
      fired: ids(1),
      failures: [],
      numHeld: 0,
      nextDueInMs: 0.75 * MINUTE_MS,
    });
    expect(await store.getTasks(ids(1))).toMatchObject([
      { action: 'work', body: { a: 1 }, queue: 'q', statusCode: 'pending' },
    ]);
    expect(await store.schedules.get('s')).toMatchObject({
      nextDue: minute(2),
      lastDue: minute(1),
      lastTaskId: ids(1)[0],
      numFired: 1,
      numSkipped: 0,
    });
  });

  it('at a due time exactly fires it, and not a second time', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely({ mayOverlap: true }));
    expect(await fireAt(store, 1)).toEqual(ids(1));
    expect(await fireAt(store, 1)).toEqual([]);
  });

  it('goes through months as the cron says: day 31, and 29 February', async () => {
    const store = t.namespace();
    const task = { action: 'work' };
    await store.schedules.put({ name: 'last', cron: '0 0 31 * *', task, mayOverlap: true });
    await store.schedules.put({ name: 'leap', cron: '0 0 29 2 *', task, mayOverlap: true });
    const fired: string[] = [];
    for (let day = 0; day < 3 * 366; day++) {
      await clock.set(new Date(START_MS + day * 86_400_000));
      fired.push(...(await store.schedules.fireDue()).fired);
    }
    expect(fired.filter((id) => id.startsWith('leap/'))).toEqual(['leap/2028-02-29T00:00:00.000Z']);
    const months = fired.filter((id) => id.startsWith('last/2027')).map((id) => id.slice(10, 12));
    expect(months).toEqual(['01', '03', '05', '07', '08', '10', '12']);
  });

  it('of a due time whose task exists already goes on: it has fired', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely({ catchUp: 'all', mayOverlap: true }));
    await store.insertTasks([{ id: ids(2)[0] ?? '', action: 'work' }]);
    expect(await fireAt(store, 3)).toEqual(ids(1, 3));
    expect(await store.schedules.get('s')).toMatchObject({ numFired: 2, nextDue: minute(4) });
  });

  it('passes over a due time whose task cannot be inserted, says why, and fires the others', async () => {
    const store = t.namespace();
    await store.schedules.put(
      minutely({ name: 'a', task: { action: 'x', toSignalAfter: ['no'] } }),
    );
    await store.schedules.put(minutely());
    await clock.set(minute(1));
    const report = await store.schedules.fireDue();
    expect(report).toMatchObject({
      fired: ids(1),
      failures: [{ name: 'a', error: { code: 'UNKNOWN_TARGET', ids: ['no'] } }],
    });
    expect(await store.schedules.get('a')).toMatchObject({
      nextDue: minute(2),
      numFired: 0,
      numSkipped: 1,
      lastError: expect.stringContaining('do not exist'),
    });
    await store.insertTasks([{ id: 'no', action: null, totalDependencies: 9 }]);
    await fireAt(store, 2);
    expect(await store.schedules.get('a')).toMatchObject({ numFired: 1, lastError: null });
  });
});

describe('a schedule whose last run still goes on', () => {
  it('does not start a second; it starts the next after it has ended', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely());
    await fireAt(store, 1);
    expect(await fireAt(store, 2)).toEqual([]);
    const owned = await own(store);
    expect(await fireAt(store, 3)).toEqual([]);
    expect(await store.schedules.get('s')).toMatchObject({ numFired: 1, numSkipped: 2 });
    await giveBack(store, owned);
    expect(await fireAt(store, 3)).toEqual([]);
    expect(await fireAt(store, 4)).toEqual(ids(4));
  });

  it.each(['completed', 'aborted'] as const)('has ended when it was %s', async (statusCode) => {
    const store = t.namespace();
    await store.schedules.put(minutely());
    await fireAt(store, 1);
    await drain(store, {}, { statusCode });
    expect(await fireAt(store, 2)).toEqual(ids(2));
  });

  it('has ended when it was cancelled or deleted', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely());
    await fireAt(store, 1);
    await store.cancelTasks(ids(1));
    await fireAt(store, 2);
    await store.deleteTasks(ids(2));
    expect(await fireAt(store, 3)).toEqual(ids(3));
  });

  it('starts a second if it may overlap', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely({ mayOverlap: true }));
    await fireAt(store, 1);
    expect(await fireAt(store, 2)).toEqual(ids(2));
  });
});

describe('after a downtime', () => {
  it('none makes up for nothing', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely({ catchUp: { policy: 'none', graceMs: 10_000 } }));
    expect(await fireAt(store, 5.5)).toEqual([]);
    expect(await fireAt(store, 6.1)).toEqual(ids(6));
    expect(await store.schedules.get('s')).toMatchObject({ numFired: 1, numSkipped: 5 });
  });

  it('last, the default, makes up for the latest', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely());
    expect(await fireAt(store, 5.5)).toEqual(ids(5));
    expect(await store.schedules.get('s')).toMatchObject({ numFired: 1, numSkipped: 4 });
  });

  it('all makes up for the latest max at once where they may overlap', async () => {
    const store = t.namespace();
    const catchUp = { policy: 'all', max: 3 };
    await store.schedules.put(minutely({ catchUp, mayOverlap: true }));
    expect(await fireAt(store, 5.5)).toEqual(ids(3, 4, 5));
    expect(await store.schedules.get('s')).toMatchObject({ numSkipped: 2, lastTaskId: ids(5)[0] });
  });

  it('all makes up for them one after another where they may not', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely({ catchUp: { policy: 'all', max: 3 } }));
    expect(await fireAt(store, 5.5)).toEqual(ids(3));
    const held = await store.schedules.fireDue();
    expect(held).toMatchObject({ fired: [], numHeld: 1, nextDueInMs: null });
    await drain(store);
    expect((await store.schedules.fireDue()).fired).toEqual(ids(4));
    await drain(store);
    // One more has become due meanwhile, and is the third that waits.
    expect(await fireAt(store, 6)).toEqual(ids(5));
    await drain(store);
    expect(await fireAt(store, 6)).toEqual(ids(6));
    await drain(store);
    expect(await fireAt(store, 6)).toEqual([]);
    expect(await store.schedules.get('s')).toMatchObject({ numFired: 4, numSkipped: 2 });
  });

  it('each due time fires once or is skipped once, as many as the policy says, over any downtimes', async () => {
    const policies = fc.oneof(
      fc.record({
        policy: fc.constant('none' as const),
        graceMs: fc.integer({ min: 0, max: 90_000 }),
      }),
      fc.record({ policy: fc.constant('last' as const) }),
      fc.record({ policy: fc.constant('all' as const), max: fc.integer({ min: 1, max: 4 }) }),
    );
    const gaps = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(policies, fc.boolean(), gaps, async (catchUp, mayOverlap, gapsS) => {
        const store = t.namespace();
        await clock.set(minute(0));
        await store.schedules.put(minutely({ catchUp, mayOverlap }));
        let expected = 0;
        for (const gapS of gapsS) {
          const numBefore = Math.floor((clock.now.getTime() - START_MS) / MINUTE_MS);
          await clock.advance(gapS * 1_000);
          const sinceMs = clock.now.getTime() - START_MS;
          const numDue = Math.floor(sinceMs / MINUTE_MS) - numBefore;
          if (catchUp.policy === 'all') expected += Math.min(numDue, catchUp.max);
          else if (catchUp.policy === 'last') expected += Math.min(numDue, 1);
          else if (sinceMs % MINUTE_MS <= catchUp.graceMs) expected += Math.min(numDue, 1);
          while ((await store.schedules.fireDue()).fired.length > 0) await drain(store);
        }
        expect(await listedIds(store)).toHaveLength(expected);
        const numDue = Math.floor((clock.now.getTime() - START_MS) / MINUTE_MS);
        expect(await store.schedules.get('s')).toMatchObject({
          numFired: expected,
          numSkipped: numDue - expected,
        });
      }),
      { numRuns: 30 },
    );
  });
});

describe('several processes', () => {
  it('eight schedulers over one clock fire each due time of each schedule exactly once', async () => {
    const names = range(10).map((n) => `s${n}`);
    const prefix = 'eight';
    const store = t.box.withPrefix(prefix);
    for (const name of names) await store.schedules.put(minutely({ name, mayOverlap: true }));
    const boxes = await Promise.all(range(8).map(() => t.another()));
    const schedulers = boxes.map((box) => new Scheduler(box.withPrefix(prefix)));
    let numFired = 0;
    for (const count of range(12)) {
      await clock.set(minute(count + 1));
      const counts = await Promise.all(schedulers.map((scheduler) => scheduler.fireDue()));
      numFired += counts.reduce((sum, one) => sum + one, 0);
    }
    const expected = names.flatMap((name) =>
      range(12).map((count) => `${name}/${minute(count + 1).toISOString()}`),
    );
    expect(await listedIds(store)).toEqual(expected.sort());
    expect(numFired).toBe(expected.length);
  });

  it('do not start a second run between them', async () => {
    const store = t.box.withPrefix('single');
    await store.schedules.put(minutely({ catchUp: 'all' }));
    const boxes = await Promise.all(range(8).map(() => t.another()));
    const stores = boxes.map((box) => box.withPrefix('single'));
    await clock.set(minute(5));
    for (const count of range(5)) {
      const reports = await Promise.all(stores.map(({ schedules }) => schedules.fireDue()));
      expect(reports.flatMap(({ fired }) => fired)).toEqual(ids(count + 1));
      expect(await drain(store)).toEqual(ids(count + 1));
    }
  });
});

describe('a crash', () => {
  it('between the insert and the commit leaves nothing, and the next pass fires', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely());
    await clock.set(minute(1));
    // The commit fails, after all statements have succeeded.
    await t.pool.query(`
      create function ${t.schema}.crash() returns trigger language plpgsql as
        $$ begin raise exception 'crash' using errcode = '57P01'; end $$;
      create constraint trigger crash after update on ${t.schema}.schedule
        deferrable initially deferred for each row execute function ${t.schema}.crash()`);
    expect(await rejection(store.schedules.fireDue())).toMatchObject({ code: '57P01' });
    expect(await listedIds(store)).toEqual([]);
    expect(await store.schedules.get('s')).toMatchObject({ nextDue: minute(1), numFired: 0 });
    await t.pool.query(`drop trigger crash on ${t.schema}.schedule`);
    expect((await store.schedules.fireDue()).fired).toEqual(ids(1));
  });
});

describe('a scheduler', () => {
  it('that was started fires what is due, and what is put later', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely());
    await clock.set(minute(1));
    await using scheduler = new Scheduler(store);
    scheduler.start();
    await eventually(async () => expect(await listedIds(store)).toEqual(ids(1)));
    await store.schedules.put(minutely({ name: 'later' }));
    await clock.set(minute(2));
    await store.schedules.put(minutely({ name: 'wakes' }));
    await eventually(async () =>
      expect(await listedIds(store, { idPrefix: 'later/' })).toHaveLength(1),
    );
  });

  it('of a box fires the schedules of its prefixes too', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely());
    await clock.set(minute(1));
    expect(await t.box.scheduler().fireDue()).toBeGreaterThan(0);
    expect(await listedIds(store)).toEqual(ids(1));
  });
});
