import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { at, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

function lanes() {
  return box.rows('select queue, action, key, limit_key from keyed_lane order by key');
}

const ids = (owned: readonly { id: string }[]) => owned.map(({ id }) => id);

/** Puts a task with a fair key into its lane, in a transaction that stays open. */
async function enqueueing(id: string) {
  const session = await box.sessionThat(
    `insert into task (id, action, fair_key) values ('${id}', 'work', 'tenant')`,
  );
  await session.query(`select enqueue_tasks(array['${id}'], p_now => $1)`, [NOW]);
  return session;
}

describe('list_keyed_lanes', () => {
  it('lists each lane with a key once, with its limit key, and no others', async () => {
    await box.insert(
      spec('plain'),
      spec('a', { limitKey: 'k' }),
      spec('b', { limitKey: 'k' }),
      spec('c', { fairKey: 'f' }),
      spec('d', { fairKey: 'f', limitKey: 'k', action: 'other' }),
      spec('m', { action: null }),
    );
    await box.insert(spec('e', { limitKey: 'k' }));
    expect(await lanes()).toEqual([
      { queue: 'default', action: 'work', key: '-1:k', limit_key: 'k' },
      { queue: 'default', action: 'work', key: '1:f', limit_key: null },
      { queue: 'default', action: 'other', key: '1:fk', limit_key: 'k' },
    ]);
  });

  it('a claim that empties a lane forgets it; one that finds it empty too', async () => {
    await box.insert(
      spec('a', { fairKey: 'f' }),
      spec('b', { fairKey: 'g' }),
      spec('c', { fairKey: 'g' }),
    );
    await box.ownMore({ maxTasks: 2 });
    expect(await lanes()).toMatchObject([{ key: '1:g' }]);
    await box.rows(`select cancel_tasks('{b,c}')`);
    expect(await box.ownMore()).toEqual([]);
    expect(await lanes()).toEqual([]);
  });

  it('a claim does not forget a lane that an open transaction has put a task into', async () => {
    await box.insert(spec('first', { fairKey: 'tenant' }));
    // 1. E relies on the lane's row, and has not committed.
    const enqueuer = await enqueueing('second');
    // 2. C empties the lane, as far as it can see, and may not delete the row.
    expect(ids(await box.ownMore())).toEqual(['first']);
    expect(await lanes()).toHaveLength(1);
    // 3. E commits: its task is found.
    await enqueuer.query('commit');
    expect(ids(await box.ownMore())).toEqual(['second']);
    expect(await lanes()).toEqual([]);
  });

  it('an enqueuer does not wait for a claim that is forgetting its lane, but lists it anew', async () => {
    await box.insert(spec('first', { fairKey: 'tenant' }));
    // 1. C empties the lane, deletes its row, and has not committed.
    const claimer = await box.sessionThat(
      `select own_tasks('me', '{default}', '{work}', 9, p_now => $1)`,
      [NOW],
    );
    // 2. E puts a task there, and commits.
    await box.insert(spec('second', { fairKey: 'tenant' }));
    expect(await lanes()).toHaveLength(2);
    // 3. C commits: the row of E is left.
    await claimer.query('commit');
    expect(await lanes()).toHaveLength(1);
    expect(ids(await box.ownMore())).toEqual(['second']);
  });

  it('the same when the claim is rolled back: the lane has two rows, and is one lane', async () => {
    await box.insert(spec('first', { fairKey: 'tenant' }));
    const claimer = await box.sessionThat(
      `select own_tasks('me', '{default}', '{work}', 9, p_now => $1)`,
      [NOW],
    );
    await box.insert(spec('second', { fairKey: 'tenant' }));
    await claimer.query('rollback');
    expect(await lanes()).toHaveLength(2);
    expect(ids(await box.ownMore())).toEqual(['first', 'second']);
    expect(await lanes()).toEqual([]);
  });

  it('two enqueuers of a new lane do not wait for one another', async () => {
    const first = await enqueueing('first');
    const second = await enqueueing('second');
    await second.query('commit');
    expect(ids(await box.ownMore())).toEqual(['second']);
    await first.query('commit');
    expect(ids(await box.ownMore())).toEqual(['first']);
  });
});

describe('limit_of_lane', () => {
  it('finds the limit key in whatever lane_key makes of two keys', async () => {
    const key = fc.option(
      fc.oneof(
        fc.string({ minLength: 1 }),
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.constantFrom('1:', ':', '-1:k'),
      ),
    );
    const clean = key.map((text) => text?.replaceAll('\u0000', '') || null);
    await fc.assert(
      fc.asyncProperty(clean, clean, async (fair, limit) => {
        expect(await box.value('select limit_of_lane(lane_key($1, $2))', [fair, limit])).toBe(
          limit,
        );
      }),
    );
  });
});

describe('turns', () => {
  it('pass to lanes that were not looked at: of 100 tenants each is served within a few claims', async () => {
    await box.insert(
      ...Array.from({ length: 1_000 }, (_, i) =>
        spec(`${1_000 + i}`, { fairKey: `tenant${i % 100}` }),
      ),
    );
    const served = new Set<string>();
    for (let i = 0; i < 13; i++) {
      for (const { id } of await box.ownMore({ maxTasks: 8 })) served.add(id.slice(-2));
    }
    expect(served.size).toBe(100);
  });
});

describe('a lane whose slots are all taken', () => {
  const ONE = { holder: '11111111-0000-4000-8000-000000000000', maxSlots: 2, tasksPerSlot: 10 };
  const TWO = { ...ONE, holder: '22222222-0000-4000-8000-000000000000' };
  const closedUntil = () => box.values('select closed_until from keyed_lane');

  /** ONE takes both slots of `k`, and owns 8 tasks of 20 that it may. */
  async function takeBothSlots() {
    await box.limit('k', 2);
    await box.insert(...Array.from({ length: 40 }, (_, i) => spec(`t${i}`, { limitKey: 'k' })));
    expect(await box.ownMore({ ...ONE, maxTasks: 8 })).toHaveLength(8);
    expect(await closedUntil()).toEqual([at(10)]);
  }

  it('is closed to others, and not to the holder that has them, until that owns as many as it may', async () => {
    await takeBothSlots();
    expect(await box.ownMore(TWO)).toEqual([]);
    expect(await box.ownMore()).toEqual([]);
    expect(await box.ownMore(ONE)).toHaveLength(12);
    expect(await box.ownMore(ONE)).toEqual([]);
  });

  it('is closed to its holder too while somebody sleeps on it, so that a slot comes free', async () => {
    await takeBothSlots();
    await box.rows(`select sleep_on_lanes('one', '{default,default}', '{other,work}', $1)`, [
      at(60),
    ]);
    expect(await box.ownMore(ONE)).toEqual([]);
    await box.rows(`select leave_lanes('one', '{default}', '{work}')`);
    expect(await box.ownMore(ONE)).toHaveLength(12);
  });

  it('is not looked at for its holder where it is a rate that closed it', async () => {
    await box.rows(`select set_limits('{k}', '{null}', '{8}', '{1 minute}')`);
    await box.insert(...Array.from({ length: 40 }, (_, i) => spec(`t${i}`, { limitKey: 'k' })));
    expect(await box.ownMore({ ...ONE, maxTasks: 8 })).toHaveLength(8);
    expect(await box.ownMore(ONE)).toEqual([]);
    expect(await closedUntil()).toEqual([at(60)]);
    const looked = await box.values(
      `select open_keyed_lanes(array[('default', 'work', '', null, null, null, null)::claim_lane], 8, true, $1, 10, $2)`,
      [ONE.holder, at(1)],
    );
    expect(looked).toEqual([null]);
  });

  it('is written anew when less than five seconds are left, not at each claim', async () => {
    await takeBothSlots();
    expect(await box.ownMore({ ...ONE, maxTasks: 1, now: at(4) })).toHaveLength(1);
    expect(await closedUntil()).toEqual([at(10)]);
    expect(await box.ownMore({ ...ONE, maxTasks: 1, now: at(6) })).toHaveLength(1);
    expect(await closedUntil()).toEqual([at(16)]);
  });
});
