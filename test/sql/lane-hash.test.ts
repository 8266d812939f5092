import { beforeAll, expect, it } from 'vitest';
import { NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

/** All lanes have one hash from here on, as two may by chance. */
beforeAll(async () => {
  await box.rows('drop index ready_by_lane');
  await box.rows('alter table ready drop column lane');
  await box.rows(
    'alter table ready add column lane bigint not null generated always as (7) stored',
  );
  await box.rows('create unique index ready_by_lane on ready (lane, priority desc, seq)');
  await box.rows(`create or replace function lane_hash(p_queue text, p_action text, p_key text)
    returns bigint language sql immutable as 'select 7::bigint'`);
});

const ids = (owned: readonly { id: string }[]) => owned.map(({ id }) => id).sort();

/** In four lanes, and one that a claim finds empty. */
async function insertMixed() {
  await box.limit('k', 9);
  await box.insert(
    spec('a', { action: 'a' }),
    spec('b', { action: 'b', priority: 1 }),
    spec('fair', { action: 'a', fairKey: 'f' }),
    spec('limited', { action: 'a', limitKey: 'k' }),
    spec('last', { action: 'b' }),
  );
}

it('lanes of one hash are kept apart by claims, by priority and by age', async () => {
  await insertMixed();
  expect(ids(await box.ownMore({ actions: ['c'] }))).toEqual([]);
  expect(ids(await box.ownMore({ actions: ['a'] }))).toEqual(['a', 'fair', 'limited']);
  expect(ids(await box.ownMore({ actions: ['a'], oldestFirst: true }))).toEqual([]);
  expect(ids(await box.ownMore({ actions: ['b'], oldestFirst: true }))).toEqual(['b', 'last']);
  expect(await box.rows('select key from keyed_lane')).toEqual([]);
});

it('so they are for those who wait, pause, cancel and ask', async () => {
  await insertMixed();
  const next = (action: string) =>
    box.value(`select next_ready_at('{default}', array[$1], $2)`, [action, NOW]);
  expect([await next('a'), await next('c')]).toEqual([NOW, null]);
  await box.rows(`select cancel_tasks('{b}')`);
  expect(await box.values('select id from ready order by id')).toEqual([
    'a',
    'fair',
    'last',
    'limited',
  ]);
  const [why] = await box.values(`select explain_task('last')`);
  expect(JSON.stringify(why)).toContain('"numBefore":0');
});
