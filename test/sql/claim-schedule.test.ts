import { beforeEach, expect, it } from 'vitest';
import { at, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

const CLAIM = 'select (c.schedule).name, c.is_unfinished from claim_schedule(p_now => $1) as c';

/** Schedules, all due at NOW unless told otherwise. */
async function put(name: string, due = NOW): Promise<void> {
  await box.rows(`select put_schedule($1, '{"everyMs": 1000}', '{}', '{}', false, $2, $3)`, [
    name,
    due,
    NOW,
  ]);
}

beforeEach(async () => {
  await box.rows('truncate schedule');
});

it('claim_schedule gives the schedule due first, of several the first name', async () => {
  await put('b', at(-1));
  await put('c', at(-2));
  await put('a', at(-1));
  await put('later', at(1));
  const claim = `select (c.schedule).name, (c.schedule).next_due
                 from claim_schedule('', null, $1, $2, $3) as c`;
  const names: unknown[] = [];
  let after: unknown[] = ['-infinity', ''];
  for (;;) {
    const [row] = await box.rows(claim, [...after, NOW]);
    if (!row) break;
    names.push(row.name);
    after = [row.next_due, row.name];
  }
  expect(names).toEqual(['c', 'a', 'b']);
});

it('claim_schedule gives neither a paused schedule nor one outside the range of names', async () => {
  await put('a');
  await put('b');
  await put('c');
  await box.rows(`select pause_schedule('b')`);
  const claim = `select (c.schedule).name from claim_schedule($1, $2, p_now => $3) as c`;
  expect(await box.values(claim, ['b', null, NOW])).toEqual(['c']);
  expect(await box.values(claim, ['b', 'c', NOW])).toEqual([]);
});

it('claim_schedule passes over what another has claimed, which advance_schedule moves on', async () => {
  await put('a');
  await put('b');
  const first = await box.session();
  await first.query('begin');
  expect((await first.query(CLAIM, [NOW])).rows).toMatchObject([{ name: 'a' }]);
  expect(await box.rows(CLAIM, [NOW])).toMatchObject([{ name: 'b' }]);
  await first.query(`select advance_schedule('a', $1, $2, 'a/1', 1)`, [at(60), NOW]);
  expect(await box.rows(CLAIM, [NOW])).toMatchObject([{ name: 'b' }]);
  await first.query('commit');
  expect(await box.rows(CLAIM, [NOW])).toMatchObject([{ name: 'b' }]);
  expect(await box.rows(CLAIM, [at(60)])).toMatchObject([{ name: 'b' }]);
  await box.rows(`select pause_schedule('b')`);
  expect(await box.rows(CLAIM, [at(60)])).toMatchObject([{ name: 'a' }]);
});

it('a claim that is rolled back leaves the schedule to the next', async () => {
  await put('a');
  const first = await box.session();
  await first.query('begin');
  await first.query(CLAIM, [NOW]);
  expect(await box.rows(CLAIM, [NOW])).toEqual([]);
  await first.query('rollback');
  expect(await box.rows(CLAIM, [NOW])).toMatchObject([{ name: 'a' }]);
});

it('is_unfinished says whether the last task has not ended; one that is deleted has', async () => {
  await put('a');
  await box.insert(spec('a/1'));
  expect(await box.rows(CLAIM, [NOW])).toMatchObject([{ is_unfinished: false }]);
  await box.rows(`select advance_schedule('a', $1, $1, 'a/1', 1)`, [NOW]);
  expect(await box.rows(CLAIM, [NOW])).toMatchObject([{ is_unfinished: true }]);
  const held = await box.own();
  expect(await box.rows(CLAIM, [NOW])).toMatchObject([{ is_unfinished: true }]);
  await box.giveBack(held);
  expect(await box.rows(CLAIM, [NOW])).toMatchObject([{ is_unfinished: false }]);
  await box.rows(`select delete_tasks('{a/1}')`);
  expect(await box.rows(CLAIM, [NOW])).toMatchObject([{ is_unfinished: false }]);
});

it('is_unfinished holds of a task that has ended while what it left below it as ~run has not', async () => {
  await put('a');
  await box.insert(spec('a/1'));
  await box.rows(`select advance_schedule('a', $1, $1, 'a/1', 1)`, [NOW]);
  await box.giveBack(await box.own());
  await box.insert(spec('a/1/~run'));
  expect(await box.rows(CLAIM, [NOW])).toMatchObject([{ is_unfinished: true }]);
  await box.giveBack(await box.own());
  expect(await box.rows(CLAIM, [NOW])).toMatchObject([{ is_unfinished: false }]);
});

it('lock_schedule that had to wait sees the task which the one before it inserted', async () => {
  await put('a');
  const first = await box.sessionThat('select lock_schedule($1)', ['a']);
  const second = await box.session();
  const locked = second.query(
    `select (l.schedule).last_task_id, l.is_unfinished from lock_schedule('a') as l`,
  );
  await box.untilSomebodyWaitsFor(first);
  await first.query(`insert into task (id, action) values ('a/1', 'work')`);
  await first.query(`select enqueue_tasks('{a/1}')`);
  await first.query(`select advance_schedule('a', $1, $1, 'a/1', 1)`, [NOW]);
  await first.query('commit');
  expect((await locked).rows).toEqual([{ last_task_id: 'a/1', is_unfinished: true }]);
});

it('put_schedule with the same rule keeps the next due time; with another it takes the new one', async () => {
  await put('a', at(5));
  await put('a', at(7));
  expect(await box.value('select next_due from schedule')).toEqual(at(5));
  await box.rows(`select put_schedule('a', '{"everyMs": 2000}', '{}', '{}', false, $1)`, [at(9)]);
  expect(await box.value('select next_due from schedule')).toEqual(at(9));
});

it('put_schedule that changes nothing does not wait for one who fires', async () => {
  await put('a');
  await box.sessionThat('select claim_schedule(p_now => $1)', [NOW]);
  await put('a');
});

it('next_schedule_due is the earliest due time after one given, of those not paused', async () => {
  expect(await box.value('select next_schedule_due()')).toBeNull();
  await put('a', at(1));
  await put('b', at(2));
  await put('c', at(3));
  await box.rows(`select pause_schedule('b')`);
  expect(await box.value('select next_schedule_due()')).toEqual(at(1));
  expect(await box.value('select next_schedule_due(p_after => $1)', [at(1)])).toEqual(at(3));
  expect(await box.value(`select next_schedule_due('a', 'b', $1)`, [at(1)])).toBeNull();
});

it('claims are index scans, however many schedules there are', async () => {
  const session = await box.session();
  await session.query(
    `insert into schedule (name, rule, task, catch_up, next_due)
     select 's' || n, '{}', '{}', '{}', $1::timestamptz + n * interval '1 second'
     from generate_series(1, 5000) n`,
    [NOW],
  );
  await session.query('analyze schedule');
  await session.query('set enable_seqscan = off');
  await session.query('set enable_bitmapscan = off');
  const { rows } = await session.query(
    `explain select * from schedule s
     where not s.is_paused and s.next_due <= now() and (s.next_due, s.name) > ('-infinity', '')
       and s.name >= '' order by s.next_due, s.name limit 1 for no key update skip locked`,
  );
  expect(JSON.stringify(rows)).toContain('schedule_by_due');
  expect(JSON.stringify(rows)).not.toContain('Sort');
});
