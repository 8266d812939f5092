import { describe, expect, it } from 'vitest';
import { at, expectRaise, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

function claim(key: string, id: string) {
  return box.value('select claim_unique_key($1, $2)', [key, id]);
}

/** The key is taken by `a`, which has ended, and kept for 10 seconds. */
async function keep(): Promise<void> {
  await box.insert(spec('a', { uniqueKey: 'key', uniqueForMs: 10_000 }));
  await box.giveBack(await box.own(), 'completed', at(1));
}

const CLAIM_KEPT = `select claim_unique_key('key', $1, '1 minute', $2)`;

function claimKept(id: string, seconds: number) {
  return box.value(CLAIM_KEPT, [id, at(seconds)]);
}

function keys() {
  return box.rows('select key, task_id, kept_until, is_released from unique_key order by key');
}

describe('claim_unique_key', () => {
  it('answers null and takes the key, or answers with the task that holds it', async () => {
    expect(await claim('key', 'a')).toBeNull();
    expect(await claim('key', 'b')).toBe('a');
    expect(await claim('another', 'b')).toBeNull();
    await box.clear();
  });

  it('waits for a session that is inserting a task with the key, and gets it if that fails', async () => {
    // 1. One session claims the key and has not committed.
    const first = await box.sessionThat(`select claim_unique_key('key', 'a')`);
    // 2. Another claims it, and waits.
    const second = claim('key', 'b');
    await box.untilSomebodyWaitsFor(first);
    // 3. The first fails: the second has the key.
    await first.query('rollback');
    expect(await second).toBeNull();
    expect(await claim('key', 'c')).toBe('b');
    await box.clear();
  });

  it('waits for a session that is inserting a task with the key, and learns its id if that commits', async () => {
    const first = await box.sessionThat(`select claim_unique_key('key', 'a')`);
    const second = claim('key', 'b');
    await box.untilSomebodyWaitsFor(first);
    await first.query('commit');
    expect(await second).toBe('a');
    await box.clear();
  });

  it('waits for a session that is ending the holder, and then takes the key', async () => {
    await claim('key', 'a');
    // 1. The holder is ending: its key is deleted, not yet committed.
    const ending = await box.sessionThat(`delete from unique_key where key = 'key'`);
    // 2. Another claims the key, and waits.
    const second = claim('key', 'b');
    await box.untilSomebodyWaitsFor(ending);
    // 3. The holder has ended.
    await ending.query('commit');
    expect(await second).toBeNull();
    await box.clear();
  });
});

describe('claim_unique_key, of a key that is kept', () => {
  it('answers with the task that ended until the time is up, also once it is deleted', async () => {
    box.test.allow({ signalsMayOutnumberSenders: true });
    await keep();
    expect(await keys()).toEqual([
      { key: 'key', task_id: 'a', kept_until: at(10), is_released: true },
    ]);
    expect(await claimKept('b', 9.999)).toBe('a');
    await box.rows(`select delete_tasks('{a}')`);
    expect(await claimKept('b', 9.999)).toBe('a');
    expect(await claimKept('b', 10)).toBeNull();
    expect(await claimKept('c', 1_000)).toBe('b');
    expect(await keys()).toEqual([
      { key: 'key', task_id: 'b', kept_until: at(70), is_released: false },
    ]);
    await box.clear();
  });

  it('waits for one that takes it over, and learns its id if that commits', async () => {
    await keep();
    // 1. The time is up. One session takes the key over and has not committed.
    const first = await box.sessionThat(CLAIM_KEPT, ['b', at(10)]);
    // 2. Another would, too, and waits.
    const second = claimKept('c', 10);
    await box.untilSomebodyWaitsFor(first);
    // 3. The first commits: the key is no longer released.
    await first.query('commit');
    expect(await second).toBe('b');
    await box.clear();
  });

  it('waits for one that takes it over, and gets it if that fails', async () => {
    await keep();
    const first = await box.sessionThat(CLAIM_KEPT, ['b', at(10)]);
    const second = claimKept('c', 10);
    await box.untilSomebodyWaitsFor(first);
    await first.query('rollback');
    expect(await second).toBeNull();
    expect(await claimKept('d', 10)).toBe('c');
    await box.clear();
  });

  it('waits for run_timers that forgets it, and then takes it', async () => {
    await keep();
    await box.rows(`insert into timer (due, kind, ids) values ($1, 'start', '{}')`, [at(10)]);
    const timers = await box.sessionThat('select run_timers($1)', [at(10)]);
    const second = claimKept('b', 10);
    await box.untilSomebodyWaitsFor(timers);
    await timers.query('commit');
    expect(await second).toBeNull();
    await box.clear();
  });

  it('refused, does not keep the holder from ending', async () => {
    await box.insert(spec('a', { uniqueKey: 'key' }));
    const held = await box.own();
    // 1. A session asks for the key, learns that a has it, and leaves its transaction open.
    const refused = await box.sessionThat(CLAIM_KEPT, ['b', NOW]);
    // 2. a ends, and does not wait.
    await box.giveBack(held);
    expect(await keys()).toEqual([]);
    await refused.query('rollback');
  });

  it('raced by 16 sessions, gives it to one', async () => {
    await keep();
    const sessions = await Promise.all(Array.from({ length: 16 }, () => box.session()));
    const holders = await Promise.all(
      sessions.map(async (session, i) => {
        const { rows } = await session.query(CLAIM_KEPT, [`t${i}`, at(10)]);
        return Object.values(rows[0] ?? {})[0];
      }),
    );
    expect(holders.filter((holder) => holder === null)).toHaveLength(1);
    expect(new Set(holders).size).toBe(2);
    await box.clear();
  });
});

describe('take_unique_keys', () => {
  const take = (id: string, seconds: number) =>
    box.rows(`select take_unique_keys(array[$1], $2, $2)`, [id, at(seconds)]);

  it('raises SB006 until the time is up, then takes the key over', async () => {
    await keep();
    await box.insert(spec('b'));
    await box.rows(`update task set unique_key = 'key', unique_for = '1 minute' where id = 'b'`);
    await expectRaise(take('b', 9.999), 'SB006', ['key']);
    await take('b', 10);
    expect(await keys()).toEqual([
      { key: 'key', task_id: 'b', kept_until: at(70), is_released: false },
    ]);
  });

  it('gives a key that two tasks of a batch want to none of them', async () => {
    await keep();
    await box.insert(spec('b'), spec('c'));
    await box.rows(`update task set unique_key = 'key' where id in ('b', 'c')`);
    await expectRaise(box.rows(`select take_unique_keys('{b,c}', $1, $1)`, [at(10)]), 'SB006', [
      'key',
    ]);
    await box.clear();
  });

  it('waits for one that takes the key over, and raises SB006 if that commits', async () => {
    await keep();
    await box.insert(spec('b'));
    await box.rows(`update task set unique_key = 'key' where id = 'b'`);
    const first = await box.sessionThat(CLAIM_KEPT, ['c', at(10)]);
    const second = expectRaise(take('b', 10), 'SB006', ['key']);
    await box.untilSomebodyWaitsFor(first);
    await first.query('commit');
    await second;
    await box.clear();
  });

  it('of a task that runs again takes back a key that is kept, without keeping it longer', async () => {
    await keep();
    await box.rows(`select rerun_tasks('{a}', p_now => $1)`, [at(5)]);
    expect(await keys()).toEqual([
      { key: 'key', task_id: 'a', kept_until: at(10), is_released: false },
    ]);
    await box.giveBack(await box.own({ now: at(20) }), 'completed', at(20));
    expect(await keys()).toEqual([]);
    await box.rows(`select rerun_tasks('{a}', p_now => $1)`, [at(30)]);
    expect(await keys()).toEqual([
      { key: 'key', task_id: 'a', kept_until: null, is_released: false },
    ]);
  });

  it('of a task that runs again raises SB006 if another took the key over', async () => {
    await keep();
    await box.insert(spec('b'));
    await box.rows(`update task set unique_key = 'key' where id = 'b'`);
    await take('b', 10);
    await expectRaise(box.rows(`select rerun_tasks('{a}', p_now => $1)`, [at(10)]), 'SB006', [
      'key',
    ]);
  });
});

describe('free_unique_keys', () => {
  const free = (id: string, seconds: number) =>
    box.rows(`select free_unique_keys(array[$1], $2)`, [id, at(seconds)]);

  it('deletes a key that is kept no longer, releases another, and does either once', async () => {
    await box.insert(
      spec('a', { uniqueKey: 'k', uniqueForMs: 10_000 }),
      spec('b', { uniqueKey: 'l' }),
      spec('c', { uniqueKey: 'm', uniqueForMs: 10_000 }),
    );
    await box.rows('update task set unique_until_started = true, actor_id = $1', ['me']);
    await free('a', 5);
    await free('b', 5);
    await free('c', 10);
    const released = [{ key: 'k', task_id: 'a', kept_until: at(10), is_released: true }];
    expect(await keys()).toEqual(released);
    await free('a', 10);
    expect(await keys()).toEqual(released);
  });

  it('leaves the key of a task that took it over', async () => {
    await keep();
    await claimKept('b', 10);
    await free('a', 10);
    expect(await keys()).toMatchObject([{ task_id: 'b', is_released: false }]);
    await box.clear();
  });
});
