import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/index.js';
import { drain, eventually, giveBack, own, range, rejection, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

const holder = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;

const limited = (count: number, more = {}) =>
  range(count).map((i) => task(`t${i}`, { limitKey: 'api', ...more }));

describe('a limit', () => {
  it('is set by the tasks that name it, for all tasks of the key', async () => {
    const store = t.namespace();
    await store.insertTasks([...limited(10), task('more', { limitKey: 'api', limit: 3 })]);
    const owned = await own(store);
    expect(owned).toHaveLength(3);
    expect(owned[0]?.slots).toEqual({ key: 'api', count: 3, version: expect.any(Number) });
    expect(await own(store)).toEqual([]);
    await store.setLimits('api', { limit: 5 });
    expect(await own(store)).toHaveLength(2);
    await store.setLimits('api', {});
    expect((await own(store)).map(({ slots }) => slots)).toEqual(range(6).map(() => null));
  });

  it('is kept apart by namespaces', async () => {
    const stores = [t.namespace(), t.namespace()];
    for (const store of stores) await store.insertTasks(limited(3, { limit: 1 }));
    for (const store of stores) expect(await own(store)).toHaveLength(1);
  });

  it('holds for 32 sessions that own at once', async () => {
    const store = t.namespace();
    await store.insertTasks(limited(200, { limit: 5 }));
    let performed = 0;
    while (performed < 60) {
      const batches = await Promise.all(range(32).map(() => own(store, { maxTasks: 2 })));
      const owned = batches.flat();
      expect(owned.length).toBeLessThanOrEqual(5);
      performed += owned.length;
      await giveBack(store, owned);
    }
  });

  it('holds under stress: 8 processes own, perform and return, and no more than 5 are ever in progress', async () => {
    const prefix = `stress${t.schema}`;
    await t.box.withPrefix(prefix).insertTasks(limited(800, { limit: 5 }));
    const processes = await Promise.all(range(8).map(() => t.another()));
    let inProgress = 0;
    let most = 0;
    let done = 0;
    await Promise.all(
      processes.map(async (box) => {
        const store = box.withPrefix(prefix);
        while (done < 800) {
          const owned = await own(store, { maxTasks: 3 });
          inProgress += owned.length;
          most = Math.max(most, inProgress);
          await store.getTasks(owned.map(({ id }) => id));
          // Counted as over before it is: what the database counts is never less.
          inProgress -= owned.length;
          await giveBack(store, owned);
          done += owned.length;
          if (owned.length === 0)
            await store.waitForReady({ actions: ['work'] }, { timeoutMs: 50 });
        }
      }),
    );
    expect(done).toBe(800);
    expect(most).toBe(5);
    const { rows } = await t.pool.query('select * from limit_slot where key = $1', [
      `${prefix}.api`,
    ]);
    expect(rows).toEqual([]);
  });

  it('holds for the slots of three holders that own ten tasks for each, counted by SQL while they work', async () => {
    const store = t.box.withPrefix('holders');
    await store.insertTasks(limited(900, { limit: 7 }));
    let isOver = false;
    const sums: number[] = [];
    const counting = (async () => {
      while (!isOver) {
        const { rows } = await t.pool.query(
          'select coalesce(sum(slots), 0)::int as sum from limit_slot where key = $1',
          ['holders.api'],
        );
        sums.push(rows[0].sum);
      }
    })();
    let done = 0;
    await Promise.all(
      [1, 2, 3].map(async (n) => {
        const request = { holder: holder(n), maxSlots: 4, tasksPerSlot: 10, maxTasks: 25 };
        while (done < 900) {
          const owned = await own(store, request);
          // Half, and then the rest: a holder's slots shrink only with its tasks.
          await giveBack(store, owned.slice(0, owned.length / 2));
          await giveBack(store, owned.slice(owned.length / 2));
          done += owned.length;
        }
      }),
    );
    isOver = true;
    await counting;
    expect(done).toBe(900);
    expect(Math.max(...sums)).toBeLessThanOrEqual(7);
    expect(Math.max(...sums)).toBeGreaterThan(4);
  });

  it('of one each, for 1,000 keys, lets all of them go on', async () => {
    const store = t.box.withPrefix('keys');
    await store.insertTasks(
      range(3_000).map((i) => task(`t${i}`, { limitKey: `key${i % 1_000}`, limit: 1 })),
    );
    const first = [];
    for (let claims = 0; first.length < 1_000; claims++) {
      expect(claims).toBeLessThan(40);
      first.push(...(await own(store, { maxTasks: 500 })));
    }
    expect(new Set(first.map(({ slots }) => slots?.key)).size).toBe(1_000);
    expect(await own(store)).toEqual([]);
    await giveBack(store, first);
    expect(await drain(store)).toHaveLength(2_000);
    const { rows } = await t.pool.query(`select * from keyed_lane where action = 'keys.work'`);
    expect(rows).toEqual([]);
  });

  it('wakes an idle worker when a slot is given back', async () => {
    const store = t.namespace();
    await store.insertTasks(limited(2, { limit: 1 }));
    const owned = await own(store);
    const start = performance.now();
    const woken = store.waitForReady({ actions: ['work'] }, { timeoutMs: 9_000 });
    await eventually(async () => {
      const { rows } = await t.pool.query('select * from sleeper');
      expect(rows).toHaveLength(1);
    });
    await giveBack(store, owned);
    expect(await woken).toBe(true);
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('that nobody gives back is no reason to be busy: a wait for a closed lane waits', async () => {
    const store = t.namespace();
    await store.insertTasks(limited(2, { limit: 1 }));
    await own(store);
    await own(store);
    expect(await store.waitForReady({ actions: ['work'] }, { timeoutMs: 0 })).toBe(false);
  });
});

describe('an option of a limit that makes no sense is refused', () => {
  it.each([
    ['limitKey', '', {}],
    ['limitKey', 'x'.repeat(513), {}],
    ['limit', 'k', { limit: 0 }],
    ['limit', 'k', { limit: 1.5 }],
    ['rateLimit.count', 'k', { rateLimit: { count: 0, intervalMs: 1 } }],
    ['rateLimit.intervalMs', 'k', { rateLimit: { count: 1, intervalMs: 0 } }],
  ])('%s of setLimits', async (option, key, limits) => {
    const error = await rejection(t.box.setLimits(key, limits));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error).toMatchObject({ option });
  });

  it.each([
    ['holder', { holder: 'me' }],
    ['numBegun', { numBegun: -1 }],
    ['numBegun', { numBegun: 0.5 }],
    ['maxSlots', { maxSlots: 0 }],
    ['tasksPerSlot', { tasksPerSlot: 0 }],
    ['tasksPerSlot', { tasksPerSlot: Number.NaN }],
  ])('%s of ownTasks', async (option, request) => {
    const error = await rejection(own(t.box, request));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error).toMatchObject({ option });
  });
});

describe('tasks owned ahead (numBegun)', () => {
  it('are told apart also where a claim is made in two', async () => {
    const store = t.namespace();
    await store.insertTasks(range(30).map((i) => task(`t${i}`)));
    // The first leaves a cursor behind, from which the second comes back short.
    await own(store, { maxTasks: 5 });
    const owned = await own(store, { maxTasks: 100, numBegun: 7 });
    expect(owned.map(({ isBegun }) => isBegun)).toEqual(range(25).map((i) => i < 7));
  });
});
