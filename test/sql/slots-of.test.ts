import { beforeEach, describe, expect, it } from 'vitest';
import { at, type Held, NOW, spec, useSqlBox } from './sql-box.js';

/*
 * Whichever way a task leaves in-progress, release_slots is told: its limit key and the holder it was owned by.
 * Another function stands in its place here and notes what it gets.
 */
const box = useSqlBox();

const HOLDER = '11111111-0000-4000-8000-000000000000';

async function returned(code: string, held: readonly Held[]) {
  await box.giveBack(held, code);
}

const WAYS_OUT: Record<string, (held: readonly Held[]) => Promise<unknown>> = {
  'returned completed': (held) => returned('completed', held),
  'returned aborted': (held) => returned('aborted', held),
  'returned pending': (held) => returned('pending', held),
  'lapsed begun': () => box.rows('select run_timers($1)', [at(60)]),
  'lapsed ahead': async () => {
    await box.ahead('a', 'b', 'c');
    await box.rows('select run_timers($1)', [at(60)]);
  },
  cancelled: () => box.rows(`select cancel_tasks('{a,b,c,ready}', p_now => $1)`, [NOW]),
  'run again from upstream': () => box.rows(`select rerun_tasks('{up}', true, p_now => $1)`, [NOW]),
  deleted: () => box.rows(`select delete_tasks('{a,b,c,ready,waiting}')`),
};

beforeEach(async () => {
  await box.rows(`create table if not exists released (key text, holder uuid)`);
  await box.rows('truncate released');
  await box.rows(
    `create or replace function release_slots(p_keys text[], p_holders uuid[], p_now timestamptz)
     returns void language sql as
     'insert into ${box.test.schema}.released select * from unnest(p_keys, p_holders)'`,
  );
});

/** a and b are limited and owned, with and without a holder; c is owned and has no limit. */
async function ownThree(): Promise<Held[]> {
  box.test.allow({ slotsAreNotCounted: true });
  await box.insert(
    spec('up', { action: 'upstream', targets: ['a', 'b', 'c', 'ready'] }),
    spec('a', { limitKey: 'k', targets: ['waiting'] }),
    spec('b', { limitKey: 'k' }),
    spec('c'),
    spec('ready', { limitKey: 'k', action: 'other' }),
    spec('waiting', { limitKey: 'k' }),
  );
  await box.giveBack(await box.own({ actions: ['upstream'] }));
  // As own_tasks leaves them.
  await box.rows(`delete from ready where id in ('a', 'b', 'c')`);
  await box.rows(
    `update task set status_code = 'in-progress', performance_token = gen_random_uuid(), num_tries = 1,
       actor_id = 'me', started_at = $1, action_deadline = $2, holder = case id when 'a' then $3::uuid end
     where id in ('a', 'b', 'c')`,
    [NOW, at(60), HOLDER],
  );
  await box.rows(`insert into timer (due, kind, ids) values ($1, 'lease', '{a,b,c}')`, [at(60)]);
  const held = await box.rows(
    `select id, performance_token as token from task where id in ('a', 'b', 'c') order by id`,
  );
  return held.map(({ id, token }) => ({ id: String(id), token: String(token) }));
}

describe('the slots of limited tasks', () => {
  it.each(Object.keys(WAYS_OUT))('are released when they are %s', async (way) => {
    box.test.allow({ signalsMayOutnumberSenders: true });
    await WAYS_OUT[way]?.(await ownThree());
    expect(await box.rows('select key, holder from released order by holder nulls last')).toEqual([
      { key: 'k', holder: HOLDER },
      { key: 'k', holder: null },
    ]);
    expect(await box.values('select id from task where holder is not null')).toEqual([]);
    await box.clear();
  });

  it('are not released where none is limited', async () => {
    await box.insert(spec('a'), spec('b'));
    await box.giveBack(await box.own());
    expect(await box.rows('select * from released')).toEqual([]);
  });

  it('are not released by a return whose token does not hold', async () => {
    const held = await ownThree();
    await box.giveBack(held.map(({ id }) => ({ id, token: HOLDER })));
    expect(await box.rows('select * from released')).toEqual([]);
    await box.clear();
  });
});
