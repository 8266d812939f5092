import { describe, expect, it, onTestFinished } from 'vitest';
import {
  defineActor,
  InvalidOptionError,
  PermanentError,
  SnoozeError,
  type TaskStore,
} from '../../../src/index.js';
import {
  DrainFailedError,
  DrainLimitError,
  drain,
  Faults,
  withFaults,
} from '../../../src/testing/index.js';
import {
  diamonds,
  giveBack,
  milestone,
  own,
  range,
  rejection,
  statuses,
  task,
} from '../../support/factories.js';
import { useTestDatabase } from '../../support/test-database.js';

const t = useTestDatabase();
const HOUR_MS = 3_600_000;

/** Records the ids in the order in which they are performed. */
function recorder(perform: (id: string) => void = () => {}) {
  const ids: string[] = [];
  const actor = defineActor('recorder', {
    work: async ({ id }) => {
      ids.push(id);
      perform(id);
    },
  });
  return { ids, actor };
}

async function frozen(): Promise<Date> {
  onTestFinished(async () => {
    await t.db.clock.reset();
  });
  return t.db.clock.freeze();
}

describe('a drain', () => {
  it('of nothing ends at once', async () => {
    const report = await drain(t.db.namespace(), recorder().actor);
    expect(report).toEqual({
      completed: 0,
      aborted: 0,
      retried: 0,
      snoozed: 0,
      lost: 0,
      outcomes: [],
    });
  });

  it('performs whole graphs, one task after another, the same way each time', async () => {
    const orders = [];
    for (const _ of range(2)) {
      const store = t.db.namespace();
      await store.insertTasks(diamonds(3, 4));
      const { ids, actor } = recorder();
      expect((await drain(store, actor)).completed).toBe(18);
      expect(new Set(Object.values(await statuses(store)))).toEqual(new Set(['completed']));
      orders.push(ids);
    }
    expect(orders[0]).toEqual(orders[1]);
  });

  it('gives what a handler makes ready its place before the next task is owned', async () => {
    const store = t.db.namespace();
    await store.insertTasks(['a', 'b', 'c'].map((id) => task(id)));
    const ids: string[] = [];
    const actor = defineActor('me', {
      work: async ({ id }) => {
        ids.push(id);
        if (id === 'a') await store.insertTasks([task('urgent', { priority: 9 })]);
      },
    });
    await drain(store, actor);
    expect(ids).toEqual(['a', 'urgent', 'b', 'c']);
  });

  it('runs as many handlers at once as it has workers, by several actors', async () => {
    const store = t.db.namespace();
    await store.insertTasks([task('a'), task('b', { action: 'other' })]);
    // Each waits for the other: one at a time they would never end.
    const meet = new Map<string, () => void>();
    const both = Promise.all(
      ['a', 'b'].map((id) => new Promise<void>((resolve) => meet.set(id, resolve))),
    );
    const handle = async ({ id }: { id: string }) => {
      meet.get(id)?.();
      await both;
    };
    const actors = [defineActor('one', { work: handle }), defineActor('two', { other: handle })];
    expect((await drain(store, actors, { workers: 2 })).completed).toBe(2);
  });

  it('does not end before a long chain of milestones has', async () => {
    const store = t.db.namespace();
    const chain = range(150).map((i) => milestone(`m${i}`, { toSignalAfter: [`m${i + 1}`] }));
    await store.insertTasks([
      task('first', { toSignalAfter: ['m0'] }),
      ...chain,
      milestone('m150', { toSignalAfter: ['last'] }),
      task('last'),
    ]);
    const { ids, actor } = recorder();
    await drain(store, actor);
    expect(ids).toEqual(['first', 'last']);
  });

  it('leaves what is not ready, not its action, or in another queue', async () => {
    const store = t.db.namespace();
    const startAfter = new Date(Date.now() + HOUR_MS);
    await store.insertTasks([
      task('later', { startAfter }),
      task('other', { action: 'other' }),
      task('elsewhere', { queue: 'elsewhere' }),
    ]);
    expect((await drain(store, recorder().actor)).outcomes).toEqual([]);
    const queues = ['elsewhere'];
    expect((await drain(store, recorder().actor, { queues })).completed).toBe(1);
  });
});

describe('a drain ends before tasks', () => {
  it('that are paused', async () => {
    const store = t.db.namespace();
    await store.insertTasks([task('a')]);
    await store.pause({ action: 'work' });
    expect((await drain(store, recorder().actor)).completed).toBe(0);
    await store.resume({ action: 'work' });
    expect((await drain(store, recorder().actor)).completed).toBe(1);
  });

  it('of a limit that others use up', async () => {
    const store = t.db.namespace();
    await store.insertTasks(['a', 'b'].map((id) => task(id, { limitKey: 'key', limit: 1 })));
    const [held] = await own(store);
    if (!held) throw new Error('one can be owned');
    expect((await drain(store, recorder().actor)).completed).toBe(0);
    await giveBack(store, [held]);
    expect((await drain(store, recorder().actor)).completed).toBe(1);
  });

  it('of a rate that is used up, unless time passes', async () => {
    const store = t.db.namespace();
    const start = await frozen();
    const rateLimit = { count: 2, intervalMs: HOUR_MS };
    await store.insertTasks(range(5).map((i) => task(`t${i}`, { limitKey: 'key', rateLimit })));
    expect((await drain(store, recorder().actor)).completed).toBe(2);
    expect((await t.db.drain(store, recorder().actor, { timers: true })).completed).toBe(3);
    expect(await t.db.clock.now()).toEqual(new Date(start.getTime() + 2 * HOUR_MS));
  });
});

describe('what a drain reports', () => {
  async function failing(store: TaskStore) {
    await store.insertTasks([
      task('fails', { maxTries: 2, retry: { delayMs: 0 }, priority: 3 }),
      task('permanent', { priority: 2 }),
      task('snoozes', { priority: 1 }),
    ]);
    return defineActor('me', {
      work: async ({ id }) => {
        if (id === 'permanent') throw new PermanentError('never');
        if (id === 'snoozes') throw new SnoozeError(new Date(Date.now() + HOUR_MS));
        throw new TypeError('broken');
      },
    });
  }

  it('is every try, with what the handler threw', async () => {
    const store = t.db.namespace();
    const report = await drain(store, await failing(store));
    expect(report).toMatchObject({ completed: 0, aborted: 2, retried: 1, snoozed: 1, lost: 0 });
    const fails = report.outcomes.filter(({ id }) => id === 'fails');
    expect(fails).toEqual([
      expect.objectContaining({ numTries: 1, result: 'retried', status: 'broken' }),
      expect.objectContaining({ numTries: 2, result: 'aborted', status: 'broken' }),
    ]);
    expect(fails[1]?.error).toBeInstanceOf(TypeError);
  });

  it('is thrown with throwOnFailure, the first error as the cause', async () => {
    const store = t.db.namespace();
    const error = await rejection(drain(store, await failing(store), { throwOnFailure: true }));
    expect(error).toBeInstanceOf(DrainFailedError);
    expect(error).toMatchObject({
      code: 'DRAIN_FAILED',
      failures: [{ id: 'fails' }, { id: 'permanent' }],
      cause: expect.any(TypeError),
    });
  });

  it('is thrown as well if a task still has tries, but time does not pass', async () => {
    const store = t.db.namespace();
    await store.insertTasks([task('a')]);
    let calls = 0;
    const { actor } = recorder(() => {
      if (++calls === 1) throw new Error('only once');
    });
    const options = { throwOnFailure: true };
    expect(await rejection(t.db.drain(store, actor, options))).toBeInstanceOf(DrainFailedError);
    expect((await statuses(store)).a).toBe('pending');
    await t.db.drain(store, actor, { ...options, timers: true });
    expect((await statuses(store)).a).toBe('completed');
  });

  it('counts a task that was cancelled under its handler as lost', async () => {
    const store = t.db.namespace();
    await store.insertTasks([task('a')]);
    const actor = defineActor('me', {
      work: async () => {
        await store.cancelTasks(['a']);
      },
    });
    expect(await drain(store, actor)).toMatchObject({ completed: 0, lost: 1 });
  });
});

describe('a drain without end', () => {
  it('is given up after maxTasks, what is left handed back', async () => {
    const store = t.db.namespace();
    await store.insertTasks([task('0')]);
    const actor = defineActor('me', {
      work: async ({ id }) => {
        await store.insertTasks([task(`${Number(id) + 1}`)]);
      },
    });
    const error = await rejection(drain(store, actor, { maxTasks: 20 }));
    expect(error).toBeInstanceOf(DrainLimitError);
    const found = Object.values(await statuses(store));
    expect(found.filter((status) => status === 'completed')).toHaveLength(20);
    expect(found).not.toContain('in-progress');
  });

  it('because the store fails for good rejects with its error', async () => {
    const store = t.db.namespace();
    const faults = new Faults().failNext('ownTasks', new Error('no database'), {
      times: Number.POSITIVE_INFINITY,
    });
    const error = await rejection(drain(withFaults(store, faults), recorder().actor));
    expect(error).toMatchObject({ message: 'no database' });
  });

  it('only for a while goes on', async () => {
    const store = t.db.namespace();
    await store.insertTasks([task('a'), task('b')]);
    const faults = new Faults()
      .failNext('ownTasks', undefined, { times: 3 })
      .failNext('returnTasks');
    const { ids, actor } = recorder();
    expect((await drain(withFaults(store, faults), actor)).completed).toBe(2);
    expect(ids).toEqual(['a', 'b']);
  });
});

describe('a drain with a clock', () => {
  it('moves it from one event to the next until nothing is left', async () => {
    const store = t.db.namespace();
    const start = await frozen();
    const inHours = (hours: number) => new Date(start.getTime() + hours * HOUR_MS);
    await store.insertTasks([
      task('now', { toSignalAfter: ['then'] }),
      task('then', { startAfter: inHours(10) }),
      task('fails', { maxTries: 3, retry: { delayMs: HOUR_MS, factor: 2 } }),
    ]);
    const seen: [string, Date][] = [];
    const actor = defineActor('me', {
      work: async ({ id }) => {
        seen.push([id, await t.db.clock.now()]);
        if (id === 'fails') throw new Error('no luck');
      },
    });
    const report = await t.db.drain(store, actor, { timers: true });
    expect(report).toMatchObject({ completed: 2, aborted: 1, retried: 2 });
    expect(seen).toEqual([
      ['now', inHours(0)],
      ['fails', inHours(0)],
      ['fails', inHours(1)],
      ['fails', inHours(3)],
      ['then', inHours(10)],
    ]);
    expect(await t.db.clock.now()).toEqual(inHours(10));
  });

  it('goes no further than `until`, and schedules fire on the way', async () => {
    const store = t.db.namespace();
    const start = await frozen();
    const noon = new Date('2101-03-01T12:00:00Z');
    await t.db.clock.set(noon);
    expect(start.getTime()).toBeLessThan(noon.getTime());
    await store.schedules.put({ name: 'hourly', cron: '0 * * * *', task: { action: 'work' } });
    await store.insertTasks([task('too late', { startAfter: new Date('2101-03-01T16:00:00Z') })]);
    const { ids, actor } = recorder();
    const until = new Date('2101-03-01T15:30:00Z');
    expect(await t.db.drain(store, actor, { timers: true, until })).toMatchObject({ completed: 3 });
    expect(ids).toHaveLength(3);
    expect(await t.db.clock.now()).toEqual(until);
  });

  it('has it stand still meanwhile, and go on afterwards from where it stood', async () => {
    const store = t.db.namespace();
    const { clock } = t.db;
    await store.insertTasks(range(3).map((i) => task(`t${i}`)));
    const seen: Date[] = [];
    const actor = defineActor('me', {
      work: async () => {
        seen.push(await clock.now());
      },
    });
    await t.db.drain(store, actor);
    expect(seen).toEqual([seen[0], seen[0], seen[0]]);
    expect(clock.isFrozen).toBe(false);
    expect((await clock.now()).getTime()).toBeGreaterThanOrEqual(seen[0]?.getTime() ?? 0);
  });

  it('is needed for `timers`, and `timers` for `until`', async () => {
    for (const options of [{ timers: true }, { until: new Date() }]) {
      const error = await rejection(drain(t.db.namespace(), recorder().actor, options));
      expect(error).toBeInstanceOf(InvalidOptionError);
    }
  });
});
