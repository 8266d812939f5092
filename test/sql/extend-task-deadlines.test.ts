import { describe, expect, it } from 'vitest';
import { at, type Held, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

function extend(held: readonly Held[], duration: string | null, now = NOW) {
  return box.values('select extend_task_deadlines($1, $2, $3, $4)', [
    held.map(({ id }) => id),
    held.map(({ token }) => token),
    held.map(() => duration),
    now,
  ]);
}

async function deadlineOf(id: string): Promise<unknown> {
  return (await box.task(id, 'action_deadline'))?.action_deadline;
}

describe('extend_task_deadlines', () => {
  it('moves deadlines to now + duration and answers with the ids whose token held', async () => {
    await box.insert(spec('a'), spec('b'), spec('c'));
    const held = await box.own({ duration: '1 minute' });
    await box.giveBack(held.filter(({ id }) => id === 'b'));
    expect((await extend(held, '10 minutes', at(30))).sort()).toEqual(['a', 'c']);
    expect(await deadlineOf('a')).toEqual(at(630));
    expect(await deadlineOf('b')).toBeNull();
  });

  it('refuses the token of an ownership that lapsed, also once another has it', async () => {
    await box.insert(spec('a'));
    const lapsed = await box.own({ duration: '1 second' });
    await box.rows('select run_timers($1)', [at(1)]);
    expect(await extend(lapsed, '1 hour', at(1))).toEqual([]);
    const held = await box.own({ duration: '1 second', now: at(1) });
    expect(await extend(lapsed, '1 hour', at(1))).toEqual([]);
    expect(await extend(held, '1 hour', at(1))).toEqual(['a']);
  });

  it('holds after the deadline, as long as nobody took the task back', async () => {
    await box.insert(spec('a'));
    const held = await box.own({ duration: '1 second' });
    expect(await extend(held, '1 second', at(60))).toEqual(['a']);
    await box.rows('select run_timers($1)', [at(60)]);
    expect(await box.statuses()).toEqual({ a: 'in-progress' });
  });

  it('needs no timer for a later deadline, and one for an earlier', async () => {
    await box.insert(spec('a'));
    const held = await box.own({ duration: '1 minute' });
    await extend(held, '2 minutes');
    expect(await box.values('select due from timer')).toEqual([at(60)]);
    await extend(held, '5 seconds');
    expect(await box.values('select due from timer order by due')).toEqual([at(5), at(60)]);
    await box.rows('select run_timers($1)', [at(5)]);
    expect(await box.statuses()).toEqual({ a: 'pending' });
  });

  it('only asks where told to: the deadline stays, nothing is written or waited for', async () => {
    await box.insert(spec('a'), spec('b'), spec('c'));
    const held = await box.own({ duration: '1 minute' });
    await box.giveBack(held.filter(({ id }) => id === 'b'));
    const before = await box.values('select row(xmin, xmax, ctid)::text from task order by id');
    const ask = 'select extend_task_deadlines($1, $2, $3, $4, $5)';
    const [ids, tokens] = [held.map(({ id }) => id), held.map(({ token }) => token)];
    const hours = held.map(() => '1 hour');
    const asked = await box.values(ask, [ids, tokens, hours, at(30), held.map(() => true)]);
    expect(asked.sort()).toEqual(['a', 'c']);
    expect(await box.values('select row(xmin, xmax, ctid)::text from task order by id')).toEqual(
      before,
    );
    const onlyA = held.map(({ id }) => id === 'a');
    expect((await box.values(ask, [ids, tokens, hours, at(30), onlyA])).sort()).toEqual(['a', 'c']);
    expect([await deadlineOf('a'), await deadlineOf('c')]).toEqual([at(60), at(3_630)]);
  });

  it('gives each task its own duration', async () => {
    await box.insert(spec('a'), spec('b'), spec('c'));
    const held = await box.own({ duration: '1 minute' });
    const durations: Record<string, string | null> = { a: '5 seconds', b: null, c: '1 hour' };
    await box.rows('select extend_task_deadlines($1, $2, $3, $4)', [
      held.map(({ id }) => id),
      held.map(({ token }) => token),
      held.map(({ id }) => durations[id]),
      NOW,
    ]);
    expect(await deadlineOf('a')).toEqual(at(5));
    expect(await deadlineOf('b')).toBeNull();
    expect(await deadlineOf('c')).toEqual(at(3_600));
    expect(await box.rows('select due, ids from timer where due < $1', [at(60)])).toEqual([
      { due: at(5), ids: expect.arrayContaining(['a']) },
    ]);
  });

  it('makes an ownership one that never lapses, and one that does again', async () => {
    await box.insert(spec('a'));
    const held = await box.own({ duration: '1 minute' });
    await extend(held, null);
    expect(await deadlineOf('a')).toBeNull();
    await box.rows('select run_timers($1)', [at(100_000)]);
    expect(await box.statuses()).toEqual({ a: 'in-progress' });

    await extend(held, '1 minute', at(100_000));
    await box.rows('select run_timers($1)', [at(100_060)]);
    expect(await box.statuses()).toEqual({ a: 'pending' });
  });
});
