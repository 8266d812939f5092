import { describe, expect, it } from 'vitest';
import { at, expectRaise, type Held, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

const NOBODYS = '00000000-0000-4000-8000-000000000000';

function snooze(held: readonly Held[], until: Date) {
  return box.rows('select * from return_tasks($1, $2, $3, p_start_afters => $4, p_now => $5)', [
    held.map(({ id }) => id),
    held.map(({ token }) => token),
    held.map(() => 'pending'),
    held.map(() => until),
    NOW,
  ]);
}

describe('return_tasks', () => {
  it.each(['in-progress', 'cancelled'])('raises SB005 for the code %s', async (code) => {
    await box.insert(spec('a'));
    const held = await box.own();
    await expectRaise(box.giveBack(held, code), 'SB005');
    expect(await box.statuses()).toEqual({ a: 'in-progress' });
  });

  it('answers with no row when all became what was asked', async () => {
    await box.insert(spec('a'), spec('b'));
    expect(await box.giveBack(await box.own())).toEqual([]);
  });

  it('keeps status, result and the time', async () => {
    await box.insert(spec('a'));
    const [held] = await box.own();
    await box.rows(
      `select return_tasks(array[$1], array[$2::uuid], '{aborted}', '{"it broke"}', array['{"at": 1}'::jsonb],
         p_now => $3)`,
      [held?.id, held?.token, at(7)],
    );
    expect(await box.task('a', 'status_code, status, result, finished_at, actor_id')).toEqual({
      status_code: 'aborted',
      status: 'it broke',
      result: { at: 1 },
      finished_at: at(7),
      actor_id: 'me',
    });
  });

  it('answers null for a token that does not hold, changes nothing there, and goes on with the rest', async () => {
    await box.insert(spec('a'), spec('b'), spec('c'));
    const held = await box.own();
    const wrong = held.map((one) => (one.id === 'b' ? { ...one, token: NOBODYS } : one));
    const unknown = { id: 'unknown', token: NOBODYS };
    expect(await box.giveBack([...wrong, unknown])).toEqual([
      { id: 'b', status_code: null },
      { id: 'unknown', status_code: null },
    ]);
    expect(await box.statuses()).toEqual({ a: 'completed', b: 'in-progress', c: 'completed' });
  });

  it('holds after the deadline, as long as nobody took the task back', async () => {
    await box.insert(spec('a'));
    const held = await box.own({ duration: '1 second' });
    expect(await box.giveBack(held, 'completed', at(60))).toEqual([]);
  });

  it('signals a target once for a whole batch, however many of it list the target', async () => {
    const parts = Array.from({ length: 50 }, (_, i) => spec(`part ${i}`, { targets: ['all'] }));
    await box.insert(...parts, spec('all', { action: 'other' }));
    await box.giveBack(await box.own());
    expect(await box.task('all', 'num_signals, num_failures, total_dependencies')).toEqual({
      num_signals: 50,
      num_failures: 0,
      total_dependencies: 50,
    });
    expect(await box.ready()).toEqual(['all']);
  });

  it('skips a task on its owner’s word, which signals neither success nor failure', async () => {
    await box.insert(spec('a', { targets: ['after'] }), spec('after'));
    expect(await box.giveBack(await box.own(), 'skipped')).toEqual([]);
    expect(await box.statuses()).toEqual({ a: 'skipped', after: 'pending' });
    expect(await box.task('after', 'num_signals, num_failures, num_skipped')).toEqual({
      num_signals: 1,
      num_failures: 0,
      num_skipped: 1,
    });
  });

  it('puts a task returned as pending at the end of its lane', async () => {
    await box.insert(spec('a'), spec('b'));
    const [a] = await box.own({ maxTasks: 1 });
    if (a) await box.giveBack([a], 'pending');
    expect(await box.ready()).toEqual(['b', 'a']);
  });

  it('aborts a task returned as pending after its last try, says so, and signals a failure', async () => {
    await box.insert(spec('a', { maxTries: 2, targets: ['after'] }), spec('after'));
    expect(await box.giveBack(await box.own(), 'pending')).toEqual([]);
    expect(await box.giveBack(await box.own(), 'pending')).toEqual([
      { id: 'a', status_code: 'aborted' },
    ]);
    expect(await box.task('after', 'num_signals, num_failures')).toEqual({
      num_signals: 1,
      num_failures: 1,
    });
  });

  it('does not count the try of a snooze, not even the last', async () => {
    await box.insert(spec('a', { maxTries: 1 }));
    expect(await snooze(await box.own(), at(30))).toEqual([]);
    expect(await box.task('a', 'status_code, num_tries, due_at')).toEqual({
      status_code: 'pending',
      num_tries: 0,
      due_at: at(30),
    });
    expect(await box.own({ now: at(29) })).toEqual([]);
    expect(await box.own({ now: at(30) })).toHaveLength(1);
  });

  it('brings back at once a snooze whose time is past', async () => {
    await box.insert(spec('a'));
    await snooze(await box.own(), at(-30));
    expect(await box.ready()).toEqual(['a']);
  });

  it('snoozes a batch with one timer for each time', async () => {
    await box.insert(spec('a'), spec('b'));
    await snooze(await box.own(), at(30));
    expect(await box.rows('select due, kind, ids from timer')).toEqual([
      { due: at(30), kind: 'start', ids: ['a', 'b'] },
    ]);
  });

  it('waits for a target that another session signals, and then counts both signals', async () => {
    await box.insert(spec('a', { targets: ['c'] }), spec('b', { targets: ['c'] }), spec('c'));
    const [a, b] = await box.own();
    // 1. The first session returns a and has c locked.
    const first = await box.sessionThat(
      `select return_tasks(array[$1], array[$2::uuid], '{completed}')`,
      [a?.id, a?.token],
    );
    // 2. The second returns b and has to wait for c.
    const second = box.giveBack(b ? [b] : [], 'aborted');
    await box.untilSomebodyWaitsFor(first);
    // 3. The first commits, and the second goes on with what it left.
    await first.query('commit');
    expect(await second).toEqual([]);
    expect(await box.task('c', 'num_signals, num_failures')).toEqual({
      num_signals: 2,
      num_failures: 1,
    });
    expect(await box.ready()).toEqual(['c']);
  });
});

describe('retry_delay', () => {
  const delay = (...values: unknown[]) =>
    box.value(
      `select extract(epoch from retry_delay($1::interval, $2, $3::interval, $4))::double precision`,
      values,
    );

  it('is the delay after the first try, and each time so many times longer', async () => {
    expect(await delay('10 seconds', 3, null, 1)).toBe(10);
    expect(await delay('10 seconds', 3, null, 2)).toBe(30);
    expect(await delay('10 seconds', 3, null, 4)).toBe(270);
    expect(await delay('10 seconds', null, null, 9)).toBe(10);
  });

  it('is capped', async () => {
    expect(await delay('10 seconds', 3, '1 minute', 2)).toBe(30);
    expect(await delay('10 seconds', 3, '1 minute', 3)).toBe(60);
    expect(await delay('10 seconds', 3, '1 minute', 1_000_000)).toBe(60);
  });

  it('does not overflow: it is at most a hundred years', async () => {
    const century = 3_155_760_000;
    expect(await delay('10 seconds', 1_000, null, 1_000_000)).toBe(century);
    expect(await delay('1000 years', 1_000, null, 2_147_483_647)).toBe(century);
  });

  it('is nothing without a policy, and zero for a policy without delay', async () => {
    expect(await delay(null, 3, '1 minute', 2)).toBeNull();
    expect(await delay('0', 1_000, null, 1_000_000)).toBe(0);
  });

  it('lets a task be returned a million times', async () => {
    await box.insert(spec('a', { retryDelayMs: 1_000, retryFactor: 1_000 }));
    await box.rows('update task set num_tries = 1000000');
    await box.giveBack(await box.own(), 'pending');
    const due = (await box.task('a', 'due_at'))?.due_at;
    expect(due).toEqual(at(3_155_760_000));
    await box.clear();
  });
});
