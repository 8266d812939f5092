import { beforeEach, describe, expect, it } from 'vitest';
import {
  InvalidScheduleError,
  ScheduleBusyError,
  type ScheduleInput,
  ScheduleNotFoundError,
  type ScheduleStore,
} from '../../src/index.js';
import { drain, listedIds, own, rejection } from '../support/factories.js';
import { SchemaClock } from '../support/schema-clock.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const clock = new SchemaClock(t);
const START = '2026-01-01T00:00:00.000Z';
const MINUTE_MS = 60_000;

/** Every full minute, unless told otherwise. */
function minutely(more: object = {}): ScheduleInput {
  return { name: 's', everyMs: MINUTE_MS, task: { action: 'work' }, ...more };
}

function minute(count: number): Date {
  return new Date(Date.parse(START) + count * MINUTE_MS);
}

beforeEach(() => clock.set(START));

describe('put', () => {
  it('stores what a schedule says, which get and list give back, with its next times', async () => {
    const { schedules } = t.namespace();
    const from = new Date('2026-03-01T00:00Z');
    const task = {
      action: 'report',
      body: { n: [1, null] },
      queue: 'slow',
      priority: 3,
      maxTries: 2,
      retry: { delayMs: 5 },
    };
    const put = await schedules.put({
      name: 'nightly',
      cron: '30 2 * * *',
      timeZone: 'Europe/Berlin',
      from,
      task,
      catchUp: { policy: 'all', max: 7 },
      mayOverlap: true,
    });
    expect(put).toMatchObject({
      name: 'nightly',
      rule: { cron: '30 2 * * *', timeZone: 'Europe/Berlin', from },
      task,
      catchUp: { policy: 'all', max: 7 },
      mayOverlap: true,
      isPaused: false,
      nextDue: new Date('2026-03-01T01:30Z'),
      lastDue: null,
      lastTaskId: null,
      numFired: 0,
      numSkipped: 0,
      lastError: null,
      createdAt: clock.now,
    });
    expect(put.next(3)).toEqual([
      new Date('2026-03-01T01:30Z'),
      new Date('2026-03-02T01:30Z'),
      new Date('2026-03-03T01:30Z'),
    ]);
    const { next: _, ...data } = put;
    expect(await schedules.get('nightly')).toMatchObject(data);
    expect(await schedules.list()).toMatchObject([data]);
  });

  it('again with the same rule keeps what is due and what has been; a pause too', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely());
    await clock.set(minute(1.5));
    await store.schedules.pause('s');
    const put = await store.schedules.put(minutely({ task: { action: 'other' } }));
    expect(put).toMatchObject({ task: { action: 'other' }, isPaused: true });
    await store.schedules.resume('s');
    await clock.set(minute(2.5));
    await store.schedules.put(minutely());
    expect(await store.schedules.get('s')).toMatchObject({ nextDue: minute(2) });
    await store.schedules.fireDue();
    expect(await listedIds(store)).toEqual([`s/${minute(2).toISOString()}`]);
  });

  it('with another rule goes on from now: what was due by the old one is not made up for', async () => {
    const { schedules } = t.namespace();
    await schedules.put(minutely());
    await clock.set(minute(5.5));
    const put = await schedules.put(minutely({ everyMs: 10 * MINUTE_MS }));
    expect(put.nextDue).toEqual(minute(10));
    expect((await schedules.fireDue()).fired).toEqual([]);
  });

  it('by many processes at once is one schedule', async () => {
    const { schedules } = t.namespace();
    await Promise.all(Array.from({ length: 20 }, () => schedules.put(minutely())));
    expect(await schedules.list()).toHaveLength(1);
  });

  it('changes nothing, not even updatedAt, when it says what stands', async () => {
    const { schedules } = t.namespace();
    const { updatedAt } = await schedules.put(minutely());
    await clock.advance(1);
    expect(await schedules.put(minutely())).toMatchObject({ updatedAt });
    expect((await schedules.put(minutely({ mayOverlap: true }))).updatedAt).toEqual(clock.now);
  });

  it('refuses a cron that never fires', async () => {
    const { schedules } = t.namespace();
    const error = await rejection(
      schedules.put({ name: 'a', cron: '0 0 31 2 *', task: { action: 'work' } }),
    );
    expect(error).toBeInstanceOf(InvalidScheduleError);
    expect(error).toMatchObject({ schedule: 'a', field: 'cron' });
    expect(await schedules.list()).toEqual([]);
  });
});

describe('pause and resume', () => {
  it('a paused schedule does not fire, and has no next times', async () => {
    const { schedules } = t.namespace();
    await schedules.put(minutely());
    await schedules.pause('s');
    await clock.set(minute(5));
    expect(await schedules.fireDue()).toMatchObject({ fired: [], nextDueInMs: null });
    const paused = await schedules.get('s');
    expect(paused).toMatchObject({ isPaused: true, nextDue: null });
    expect(paused?.next(3)).toEqual([]);
  });

  it('resumed, it goes on from now, and what it missed is not made up for', async () => {
    const { schedules } = t.namespace();
    await schedules.put(minutely({ catchUp: 'all' }));
    await schedules.pause('s');
    await clock.set(minute(5.5));
    await schedules.resume('s');
    expect((await schedules.fireDue()).fired).toEqual([]);
    expect(await schedules.get('s')).toMatchObject({ isPaused: false, nextDue: minute(6) });
    await clock.set(minute(6));
    expect((await schedules.fireDue()).fired).toEqual([`s/${minute(6).toISOString()}`]);
  });

  it('resuming one that is not paused changes nothing: what it missed is made up for', async () => {
    const { schedules } = t.namespace();
    await schedules.put(minutely());
    await clock.set(minute(5.5));
    await schedules.resume('s');
    expect((await schedules.fireDue()).fired).toEqual([`s/${minute(5).toISOString()}`]);
  });

  it('both may be said twice', async () => {
    const { schedules } = t.namespace();
    await schedules.put(minutely());
    await schedules.pause('s');
    await schedules.pause('s');
    await schedules.resume('s');
    await schedules.resume('s');
    expect(await schedules.get('s')).toMatchObject({ isPaused: false });
  });
});

describe('runNow', () => {
  it('inserts the task at once, and its due times stay', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely({ task: { action: 'work', body: 'b', priority: 4 } }));
    await clock.set(minute(0.25));
    const id = await store.schedules.runNow('s');
    expect(id).toBe(`s/now-${clock.now.toISOString()}`);
    expect(await store.getTask(id)).toMatchObject({ action: 'work', body: 'b', priority: 4 });
    expect(await store.schedules.get('s')).toMatchObject({
      nextDue: minute(1),
      lastDue: null,
      lastTaskId: id,
      numFired: 1,
    });
  });

  it('of a paused schedule runs it, and leaves it paused', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely());
    await store.schedules.pause('s');
    await store.schedules.runNow('s');
    expect(await listedIds(store)).toHaveLength(1);
    expect(await store.schedules.get('s')).toMatchObject({ isPaused: true });
  });

  it('is refused while the last task has not ended, unless the schedule may overlap', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely());
    const taskId = await store.schedules.runNow('s');
    await clock.advance(1);
    const error = await rejection(store.schedules.runNow('s'));
    expect(error).toBeInstanceOf(ScheduleBusyError);
    expect(error).toMatchObject({ code: 'SCHEDULE_BUSY', schedule: 's', taskId });
    await store.schedules.put(minutely({ mayOverlap: true }));
    await store.schedules.runNow('s');
    expect(await own(store)).toHaveLength(2);
  });

  it('counts as the last task: a due time while it goes on is passed over', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely());
    await store.schedules.runNow('s');
    await clock.set(minute(1));
    expect((await store.schedules.fireDue()).fired).toEqual([]);
    await drain(store);
    await clock.set(minute(2));
    expect((await store.schedules.fireDue()).fired).toHaveLength(1);
  });
});

describe('a name', () => {
  it('that is no schedule is a ScheduleNotFoundError, null or false', async () => {
    const { schedules } = t.namespace();
    for (const call of ['pause', 'resume', 'runNow'] as const) {
      const error = await rejection(schedules[call]('nobody'));
      expect(error).toBeInstanceOf(ScheduleNotFoundError);
      expect(error).toMatchObject({ code: 'SCHEDULE_NOT_FOUND', schedule: 'nobody' });
    }
    expect(await schedules.get('nobody')).toBeNull();
    expect(await schedules.remove('nobody')).toBe(false);
  });

  it('that is removed is gone; its tasks stay', async () => {
    const store = t.namespace();
    await store.schedules.put(minutely());
    await store.schedules.runNow('s');
    expect(await store.schedules.remove('s')).toBe(true);
    expect(await store.schedules.list()).toEqual([]);
    expect(await listedIds(store)).toHaveLength(1);
  });

  it('lists in the order of names, those that begin with a prefix if one is given', async () => {
    const { schedules } = t.namespace();
    for (const name of ['b', 'a2', 'a1', 'B']) await schedules.put(minutely({ name }));
    const names = async (from: ScheduleStore, namePrefix = '') =>
      (await from.list({ namePrefix })).map(({ name }) => name);
    expect(await names(schedules)).toEqual(['B', 'a1', 'a2', 'b']);
    expect(await names(schedules, 'a')).toEqual(['a1', 'a2']);
  });
});

describe('a prefix', () => {
  it('has schedules of its own: the same name in two, and each fires its own alone', async () => {
    const [red, blue] = [t.namespace(), t.namespace()];
    await red.schedules.put(minutely());
    await blue.schedules.put(minutely({ task: { action: 'paint' } }));
    await clock.set(minute(1));
    expect((await red.schedules.fireDue()).fired).toEqual([`s/${minute(1).toISOString()}`]);
    expect(await listedIds(blue)).toEqual([]);
    expect(await blue.schedules.list()).toMatchObject([{ name: 's', task: { action: 'paint' } }]);
    expect(await own(red)).toMatchObject([{ id: `s/${minute(1).toISOString()}`, action: 'work' }]);
  });

  it('goes before all that a task names, and comes off again', async () => {
    const outer = t.box.withPrefix('outer');
    const inner = outer.withPrefix('inner');
    const task = {
      action: 'work',
      uniqueKey: 'u',
      limitKey: 'l',
      fairKey: 'f',
      notifyChannelAfter: 'c',
      toSignalAfter: ['sum'],
    };
    await inner.insertTasks([{ id: 'sum', action: null, totalDependencies: 5 }]);
    expect(await inner.schedules.put(minutely({ task }))).toMatchObject({ name: 's', task });
    expect(await t.box.schedules.get('outer.inner.s')).toMatchObject({
      task: {
        action: 'outer.inner.work',
        uniqueKey: 'outer.inner.u',
        limitKey: 'outer.inner.l',
        fairKey: 'outer.inner.f',
        notifyChannelAfter: 'outer.inner.c',
        toSignalAfter: ['outer.inner.sum'],
      },
    });
    const id = await inner.schedules.runNow('s');
    expect(await outer.getTask(`inner.${id}`)).toMatchObject({ toSignalAfter: ['inner.sum'] });
    expect(await inner.schedules.get('s')).toMatchObject({ lastTaskId: id });
    expect(await outer.schedules.list()).toMatchObject([{ name: 'inner.s' }]);
  });

  it('comes off errors', async () => {
    const { schedules } = t.namespace();
    const call = Reflect.apply(schedules.put, schedules, [minutely({ task: { id: 'x' } })]);
    expect(await rejection(call)).toMatchObject({ schedule: 's', field: 'task.id' });
    await schedules.put(minutely());
    const taskId = await schedules.runNow('s');
    const error = await rejection(schedules.runNow('s'));
    expect(error).toMatchObject({ schedule: 's', taskId });
    expect(String(error)).toContain('"s"');
  });
});
