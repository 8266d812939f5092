import { describe, expect, it } from 'vitest';
import { at, NOW, type OwnedMore, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

const ONE = '11111111-0000-4000-8000-000000000000';
const TWO = '22222222-0000-4000-8000-000000000000';
const THREE = '33333333-0000-4000-8000-000000000000';

/** `count` tasks of limit key `k`, or of another. */
function limited(count: number, limitKey = 'k', more = {}) {
  return Array.from({ length: count }, (_, i) =>
    spec(`${limitKey}${String(i).padStart(4, '0')}`, { limitKey, ...more }),
  );
}

const ids = (owned: readonly { id: string }[]) => owned.map(({ id }) => id);

function slots() {
  return box.rows(
    'select key, left(holder::text, 1) as holder, slots, in_hand from limit_slot order by 1, 2',
  );
}

describe('a limit without holders', () => {
  it('is never exceeded, however many are asked for', async () => {
    await box.limit('k', 5);
    await box.insert(...limited(20));
    const first = await box.ownMore({ maxTasks: 3 });
    const second = await box.ownMore();
    expect([first.length, second.length]).toEqual([3, 2]);
    expect(await box.ownMore()).toEqual([]);
    expect(second[0]).toMatchObject({ limitKey: 'k', slots: 5 });
    await box.giveBack(first.slice(0, 2));
    expect(await box.ownMore()).toHaveLength(2);
  });

  it('takes the oldest of its lane first', async () => {
    await box.limit('k', 2);
    await box.insert(...limited(3));
    expect(ids(await box.ownMore())).toEqual(['k0000', 'k0001']);
  });

  it('counts tasks of all lanes of the key together, and shares its room among those that have something', async () => {
    await box.limit('k', 7);
    await box.insert(
      ...limited(10, 'k'),
      spec('far', { limitKey: 'k', action: 'other' }),
      spec('fair', { limitKey: 'k', fairKey: 'tenant' }),
    );
    const owned = await box.ownMore({ actions: ['work', 'other'] });
    expect(ids(owned).sort()).toEqual(['fair', 'far', 'k0000', 'k0001', 'k0002', 'k0003', 'k0004']);
  });

  it('gives the higher priority the room, whatever the lane', async () => {
    await box.limit('k', 3);
    await box.insert(
      ...limited(10, 'k'),
      ...Array.from({ length: 2 }, (_, i) =>
        spec(`urgent${i}`, { limitKey: 'k', fairKey: 'tenant', priority: 1 }),
      ),
    );
    expect(ids(await box.ownMore())).toEqual(['urgent0', 'urgent1', 'k0000']);
  });

  it('leaves lanes without a key alone', async () => {
    await box.limit('k', 1);
    await box.insert(...limited(10), ...Array.from({ length: 10 }, (_, i) => spec(`plain${i}`)));
    const owned = await box.ownMore();
    expect(owned).toHaveLength(11);
    expect(owned.filter(({ slots: count }) => count !== null)).toHaveLength(1);
  });

  it('is a limit of each key apart: 200 keys with a limit of 1 each', async () => {
    const keys = Array.from({ length: 200 }, (_, i) => `key${i} `);
    await box.rows('select set_limits($1, $2, $3, $4)', [
      keys,
      keys.map(() => 1),
      keys.map(() => null),
      keys.map(() => null),
    ]);
    await box.insert(...keys.flatMap((key) => limited(2, key)));
    const owned: OwnedMore[] = [];
    for (let i = 0; i < 8; i++) owned.push(...(await box.ownMore({ maxTasks: 50 })));
    expect(new Set(owned.map(({ limitKey }) => limitKey)).size).toBe(200);
    expect(owned).toHaveLength(200);
    await box.giveBack(owned);
    for (let i = 0; i < 8; i++) owned.push(...(await box.ownMore({ maxTasks: 50 })));
    expect(owned).toHaveLength(400);
  });
});

describe('holders', () => {
  it('own tasksPerSlot for each slot, and are told how many slots they have', async () => {
    await box.limit('k', 5);
    await box.insert(...limited(100));
    const owned = await box.ownMore({ holder: ONE, maxSlots: 2, tasksPerSlot: 10 });
    expect(owned).toHaveLength(20);
    expect(new Set(owned.map(({ slots: count, version }) => `${count} ${version}`))).toEqual(
      new Set(['2 1']),
    );
    expect(await slots()).toEqual([{ key: 'k', holder: '1', slots: 2, in_hand: 20 }]);
  });

  it('never have more slots together than the limit', async () => {
    await box.limit('k', 5);
    await box.insert(...limited(200));
    const request = { maxSlots: 4, tasksPerSlot: 10 };
    const owned = [
      await box.ownMore({ ...request, holder: ONE }),
      await box.ownMore({ ...request, holder: TWO }),
      await box.ownMore({ ...request, holder: THREE }),
    ];
    expect(owned.map((batch) => batch.length)).toEqual([40, 10, 0]);
    // One returns all but two: two of its four slots are free, though it holds two tasks on.
    await box.giveBack(owned[0]?.slice(2) ?? []);
    expect(await slots()).toEqual([
      { key: 'k', holder: '1', slots: 2, in_hand: 2 },
      { key: 'k', holder: '2', slots: 1, in_hand: 10 },
    ]);
    const [third] = await box.ownMore({ ...request, holder: THREE });
    expect(third).toMatchObject({ slots: 2, version: '3' });
  });

  it('use a slot again without a row being touched: as long as tasks are left to fill it', async () => {
    await box.limit('k', 1);
    await box.insert(...limited(30));
    const owned = await box.ownMore({ holder: ONE, maxSlots: 9, tasksPerSlot: 10 });
    expect(owned).toHaveLength(10);
    await box.giveBack(owned.slice(0, 9));
    expect(await slots()).toEqual([{ key: 'k', holder: '1', slots: 1, in_hand: 1 }]);
    await box.giveBack(owned.slice(9));
    expect(await slots()).toEqual([]);
  });

  it('share the key with owners that have no holder', async () => {
    await box.limit('k', 5);
    await box.insert(...limited(100));
    expect(await box.ownMore({ maxTasks: 3 })).toHaveLength(3);
    expect(await box.ownMore({ holder: ONE, tasksPerSlot: 10 })).toHaveLength(20);
    expect(await slots()).toEqual([
      { key: 'k', holder: '0', slots: 3, in_hand: 3 },
      { key: 'k', holder: '1', slots: 2, in_hand: 20 },
    ]);
  });
});

describe('a limit that changes while tasks are in progress', () => {
  it('gives more at once when it is raised', async () => {
    await box.limit('k', 2);
    await box.insert(...limited(10));
    await box.ownMore();
    await box.limit('k', 5);
    expect(await box.ownMore()).toHaveLength(3);
  });

  it('gives nothing until enough have ended when it is lowered', async () => {
    box.test.allow({ limitsWereLowered: true });
    await box.limit('k', 5);
    await box.insert(...limited(20));
    const owned = await box.ownMore();
    await box.limit('k', 2);
    expect(await box.ownMore()).toEqual([]);
    await box.giveBack(owned.slice(0, 3));
    expect(await box.ownMore()).toEqual([]);
    await box.giveBack(owned.slice(3, 4));
    expect(await box.ownMore()).toHaveLength(1);
  });

  it('gives all when it is removed, and counts those when it is set again', async () => {
    box.test.allow({ limitsWereLowered: true });
    await box.limit('k', 1);
    await box.insert(...limited(20));
    await box.ownMore();
    await box.limit('k', null);
    const owned = await box.ownMore({ maxTasks: 5 });
    expect(owned.map(({ slots: count }) => count)).toEqual([null, null, null, null, null]);
    expect(await slots()).toEqual([{ key: 'k', holder: '0', slots: 6, in_hand: 6 }]);
    await box.limit('k', 6);
    expect(await box.ownMore()).toEqual([]);
    await box.giveBack(owned.slice(0, 1));
    expect(await box.ownMore()).toHaveLength(1);
  });

  it('finds what was in progress before it was first set', async () => {
    await box.insert(...limited(20));
    await box.ownMore({ maxTasks: 4, holder: ONE, tasksPerSlot: 10, maxSlots: 1 });
    await box.limit('k', 6);
    expect(await box.ownMore()).toHaveLength(2);
  });
});

describe('release_slots', () => {
  it.each([
    ['a lapse', () => box.rows('select run_timers($1)', [at(60)])],
    ['a cancel', () => box.rows(`select cancel_tasks('{k0000,k0001}')`)],
    ['a delete', () => box.rows(`select delete_tasks('{k0000,k0001}')`)],
    [
      'a rerun from upstream',
      () => box.rows(`select rerun_tasks('{up}', true, p_now => $1)`, [NOW]),
    ],
  ])('is called by %s: the slots are free', async (_, leave) => {
    await box.limit('k', 2);
    await box.insert(spec('up', { action: 'up', targets: ['k0000', 'k0001'] }), ...limited(2));
    await box.giveBack(await box.own({ actions: ['up'] }));
    box.test.allow({ signalsMayOutnumberSenders: true });
    expect(await box.ownMore({ holder: ONE, duration: '1 minute' })).toHaveLength(2);
    await box.insert(...limited(2).map((one) => ({ ...one, id: `next ${one.id}` })));
    await leave();
    expect(await slots()).toEqual([]);
    expect(await box.ownMore()).toHaveLength(2);
  });

  it('keeps an owner that ran it, for tasks that lapsed, from taking limited tasks; the next takes them', async () => {
    await box.limit('k', 1);
    await box.insert(...limited(1), spec('plain'), spec('fair', { fairKey: 'f' }));
    await box.ownMore({ duration: '1 minute' });
    await box.insert(spec('other', { limitKey: 'k', action: 'other' }));
    const request = { actions: ['work', 'other'], now: at(60) };
    expect(ids(await box.ownMore(request)).sort()).toEqual(['fair', 'plain']);
    expect(ids(await box.ownMore(request))).toHaveLength(1);
  });

  it('opens the lanes of the key and wakes sleepers, at most as many as there are slots', async () => {
    await box.limit('k', 3);
    await box.insert(...limited(9));
    const held = await box.ownMore();
    expect(await box.values('select closed_until from keyed_lane')).toEqual([at(10)]);
    const heard = await box.heard(['one', 'two', 'three'], async () => {
      for (const channel of ['one', 'two', 'three']) {
        await box.rows(`select sleep_on_lanes($1, '{default}', '{work}', $2)`, [channel, at(60)]);
      }
      await box.giveBack(held.slice(0, 2));
    });
    expect(heard).toHaveLength(2);
    expect(await box.values('select closed_until from keyed_lane')).toEqual([null]);
  });

  it('wakes nobody while a holder keeps its slots', async () => {
    await box.limit('k', 1);
    await box.insert(...limited(30));
    const held = await box.ownMore({ holder: ONE, maxSlots: 1, tasksPerSlot: 10 });
    const heard = await box.heard(['one'], async () => {
      await box.rows(`select sleep_on_lanes('one', '{default}', '{work}', $1)`, [at(60)]);
      await box.giveBack(held.slice(0, 5));
    });
    expect(heard).toEqual([]);
  });
});

describe('an owner and a return at once', () => {
  it('the owner waits for slots that are given back, and finds them free', async () => {
    await box.limit('k', 1);
    await box.insert(...limited(2));
    const [held] = await box.ownMore();
    await box.rows('update keyed_lane set closed_until = null');
    // 1. A return has given the slot back, and has not committed.
    const returning = await box.sessionThat(
      `select return_tasks(array[$1], array[$2::uuid], '{completed}', p_now => $3)`,
      [held?.id, held?.token, NOW],
    );
    // 2. An owner waits for it,
    const owning = box.ownMore();
    await box.untilSomebodyWaitsFor(returning);
    await returning.query('commit');
    // 3. and owns the next task, rather than close the lane for want of a slot.
    expect(ids(await owning)).toEqual(['k0001']);
  });

  it('the return waits for an owner that finds no slot, and opens the lane that it closed', async () => {
    await box.limit('k', 1);
    await box.insert(...limited(2));
    const held = await box.ownMore();
    await box.rows('update keyed_lane set closed_until = null');
    // 1. An owner finds no slot, closes the lane, and has not committed.
    const owning = await box.sessionThat(
      `select own_tasks('me', '{default}', '{work}', 9, p_now => $1)`,
      [NOW],
    );
    // 2. A return waits for it.
    const returning = box.giveBack(held);
    await box.untilSomebodyWaitsFor(owning);
    await owning.query('commit');
    await returning;
    // 3. The lane is open.
    expect(await box.values('select closed_until from keyed_lane')).toEqual([null]);
  });

  it('two owners grant no slot twice: the second waits for the first', async () => {
    await box.limit('k', 3);
    await box.insert(...limited(20));
    const first = await box.sessionThat(
      `select own_tasks('me', '{default}', '{work}', 2, p_holder => '${ONE}', p_now => $1)`,
      [NOW],
    );
    const second = box.ownMore({ holder: TWO });
    await box.untilSomebodyWaitsFor(first);
    await first.query('commit');
    expect(await second).toHaveLength(1);
  });
});

describe('a rate', () => {
  const RATE = { count: 3, interval: '1 second' };

  it('lets so many tries be owned in any interval, and opens its lanes when the oldest no longer counts', async () => {
    await box.limit('k', null, RATE);
    await box.insert(...limited(20));
    expect(await box.ownMore({ maxTasks: 2, now: at(0) })).toHaveLength(2);
    expect(await box.ownMore({ now: at(0.5) })).toHaveLength(1);
    expect(await box.ownMore({ now: at(0.9) })).toEqual([]);
    const [owned] = await box.ownMore({ now: at(1) });
    expect(owned).toMatchObject({ limitKey: 'k', slots: null });
    expect(await box.ownMore({ now: at(1.4) })).toEqual([]);
    expect(await box.value(`select next_ready_at('{default}', '{work}', $1)`, [at(1.4)])).toEqual(
      at(1.5),
    );
    expect(await box.ownMore({ now: at(1.5) })).toHaveLength(1);
  });

  it('owns nothing ahead beyond what begins', async () => {
    await box.limit('k', null, { count: 100, interval: '1 second' });
    await box.insert(...limited(20));
    expect(await box.ownMore({ numBegun: 4, holder: ONE, tasksPerSlot: 10 })).toHaveLength(4);
  });

  it('holds beside a limit: a slot that is given back does not open a lane that waits for its rate', async () => {
    await box.limit('k', 2, RATE);
    await box.insert(...limited(20));
    const first = await box.ownMore();
    await box.giveBack(first);
    const second = await box.ownMore();
    expect([first.length, second.length]).toEqual([2, 1]);
    await box.giveBack(second);
    expect(await box.values('select closed_until from keyed_lane')).toEqual([at(1)]);
    expect(await box.ownMore({ now: at(1) })).toHaveLength(2);
  });

  it('keeps at most 32 times, rounded so that too few pass rather than too many', async () => {
    await box.limit('k', null, { count: 1_000, interval: '30 seconds' });
    await box.insert(...limited(200));
    for (let i = 0; i < 100; i++) await box.ownMore({ maxTasks: 2, now: at(i / 10) });
    const [numTimes, numTries] = await box.values(
      `select unnest(array[cardinality(starts_at), (select sum(c) from unnest(starts_count) as c)])
       from limit_key`,
    );
    expect(Number(numTimes)).toBeLessThanOrEqual(32);
    expect(Number(numTries)).toBe(200);
    const tooFew = await box.values(
      `select i from limit_key k, generate_series(0, 99) as i
       where 2 * (100 - i) > (
         select sum(u.count) from unnest(k.starts_at, k.starts_count) as u (at, count)
         where u.at >= $1::timestamptz + i * interval '100 milliseconds')`,
      [NOW],
    );
    expect(tooFew).toEqual([]);
  });
});

describe('with_starts', () => {
  it('leaves what was rounded before as it is', async () => {
    const moved = await box.values(
      `with once as (
         select w.* from with_starts(
           array(select $1::timestamptz + i * interval '143 milliseconds' from generate_series(0, 39) i),
           array_fill(1, array[40]), 1, '17.003 seconds', $1::timestamptz + interval '6 seconds') as w
       ), twice as (
         select w.* from once o, with_starts(
           o.starts_at || array(
             select $1::timestamptz + interval '6 seconds' + i * interval '1 millisecond'
             from generate_series(0, 39) i),
           o.starts_count || array_fill(1, array[40]), 1, '17.003 seconds',
           $1::timestamptz + interval '7 seconds') as w
       )
       select t from once o, unnest(o.starts_at) as t
       where not exists (select from twice w where t = any (w.starts_at))`,
      [NOW],
    );
    expect(moved).toEqual([]);
  });
});
