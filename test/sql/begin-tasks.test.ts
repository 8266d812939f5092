import { describe, expect, it } from 'vitest';
import { at, type Held, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

const NOBODYS = '00000000-0000-4000-8000-000000000000';

function begin(held: readonly Held[], now = NOW) {
  return box.values('select begin_tasks($1, $2, $3)', [
    held.map(({ id }) => id),
    held.map(({ token }) => token),
    now,
  ]);
}

function startedAt() {
  return box.rows('select id, started_at from task order by id');
}

describe('begin_tasks', () => {
  it('says when tasks owned ahead began; one that has begun goes on as it is', async () => {
    await box.insert(spec('a'), spec('b'), spec('c'));
    const held = await box.own();
    await box.ahead('a', 'c');
    expect((await begin(held.slice(0, 2), at(5))).sort()).toEqual(['a', 'b']);
    expect(await startedAt()).toEqual([
      { id: 'a', started_at: at(5) },
      { id: 'b', started_at: NOW },
      { id: 'c', started_at: null },
    ]);
    expect(await box.task('a', 'num_tries, updated_at')).toEqual({
      num_tries: 1,
      updated_at: at(5),
    });
  });

  it('leaves out, and leaves alone, tasks whose token does not hold', async () => {
    await box.insert(spec('a'), spec('b'), spec('c'));
    const held = await box.own();
    await box.ahead('a', 'b', 'c');
    await box.giveBack(held.filter(({ id }) => id === 'b'));
    const wrong = held.map((one) => (one.id === 'c' ? { ...one, token: NOBODYS } : one));
    expect(await begin([...wrong, { id: 'unknown', token: NOBODYS }])).toEqual(['a']);
    expect(await startedAt()).toMatchObject([
      { started_at: NOW },
      { started_at: null },
      { started_at: null },
    ]);
    expect(await begin([])).toEqual([]);
  });

  it('makes a lapse from then on cost the try', async () => {
    await box.insert(spec('a', { maxTries: 1 }));
    const held = await box.own({ duration: '10 seconds' });
    await box.ahead('a');
    await begin(held, at(5));
    await box.rows('select run_timers($1)', [at(10)]);
    expect(await box.statuses()).toEqual({ a: 'aborted' });
    expect(await box.attempts('a', 'started_at, outcome')).toEqual([
      { started_at: at(5), outcome: 'lapsed' },
    ]);
  });

  it('locks in the order of the ids: two with the same tasks in other orders do not deadlock', async () => {
    await box.insert(spec('a'), spec('b'));
    const held = await box.own();
    // 1. A session has a.
    const first = await box.sessionThat(`select * from task where id = 'a' for update`);
    // 2. Another begins b and a: it waits for a and has not locked b.
    const second = begin([...held].reverse());
    await box.untilSomebodyWaitsFor(first);
    // 3. The first takes b as well.
    await first.query(`select * from task where id = 'b' for update nowait`);
    await first.query('commit');
    expect(await second).toHaveLength(2);
  });
});
