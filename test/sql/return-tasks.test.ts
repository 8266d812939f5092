import { describe, expect, it } from 'vitest';
import { at, expectRaise, type Held, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

interface Returning {
  readonly codes?: readonly string[];
  readonly statuses?: readonly (string | null)[];
  readonly startAfters?: readonly (Date | null)[];
  readonly errors?: readonly (string | null)[];
  readonly retryDelays?: readonly (string | null)[];
  readonly areDeleted?: readonly (boolean | null)[];
  readonly now?: Date;
}

/** All arguments of return_tasks; each array is about the tasks in their order. */
function returnAs(held: readonly Held[], how: Returning) {
  return box.rows('select * from return_tasks($1, $2, $3, $4, null, $5, $6, $7, $8, $9)', [
    held.map(({ id }) => id),
    held.map(({ token }) => token),
    how.codes ?? held.map(() => 'pending'),
    how.statuses ?? null,
    how.startAfters ?? null,
    how.now ?? NOW,
    how.errors ?? null,
    how.retryDelays ?? null,
    how.areDeleted ?? null,
  ]);
}

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

  it('takes one token and one code for all tasks that it is given', async () => {
    await box.insert(spec('a'), spec('b'), spec('c'));
    const others = await box.own({ maxTasks: 1 });
    const [held] = await box.own();
    expect(others.map(({ id }) => id)).toEqual(['a']);
    const answer = await box.rows(
      `select * from return_tasks('{a,b,c}', array[$1::uuid], '{aborted}', p_now => $2)`,
      [held?.token, NOW],
    );
    expect(answer).toEqual([{ id: 'a', status_code: null }]);
    expect(await box.statuses()).toEqual({ a: 'in-progress', b: 'aborted', c: 'aborted' });
    expect(await box.rows('select task_id from attempt order by task_id')).toEqual([
      { task_id: 'b' },
      { task_id: 'c' },
    ]);
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

describe('return_tasks with p_retry_delays', () => {
  it('counts the try and comes back after that, unless the task has a policy of its own', async () => {
    const policy = { retryDelayMs: 5_000 };
    await box.insert(spec('a'), spec('b', policy), spec('c', policy), spec('d'));
    const held = await box.own();
    expect(await returnAs(held, { retryDelays: ['20 seconds', null, '1 minute', '0'] })).toEqual(
      [],
    );
    expect(await box.rows('select id, num_tries, due_at from task order by id')).toEqual([
      { id: 'a', num_tries: 1, due_at: at(20) },
      { id: 'b', num_tries: 1, due_at: at(5) },
      { id: 'c', num_tries: 1, due_at: at(5) },
      { id: 'd', num_tries: 1, due_at: null },
    ]);
    expect(await box.ready()).toEqual(['d']);
  });

  it('aborts after the last try all the same, and gives way to a snooze', async () => {
    await box.insert(spec('a', { maxTries: 1 }), spec('b', { maxTries: 1 }));
    const startAfters = [null, at(30)];
    expect(
      await returnAs(await box.own(), { startAfters, retryDelays: ['20 seconds', '20 seconds'] }),
    ).toEqual([{ id: 'a', status_code: 'aborted' }]);
    expect(await box.task('b', 'num_tries, due_at')).toEqual({ num_tries: 0, due_at: at(30) });
  });
});

describe('the attempts that return_tasks keeps', () => {
  it('are those that failed: returned for another try, given up, out of tries', async () => {
    await box.insert(spec('a', { maxTries: 2 }), spec('b'));
    await returnAs(await box.own(), {
      statuses: ['first', 'once'],
      errors: ['Error: first\n at x', null],
      now: at(3),
    });
    const [a, b] = await box.own({ now: at(10) });
    await returnAs(a && b ? [a, b] : [], {
      codes: ['pending', 'aborted'],
      statuses: ['second', 'twice'],
      errors: [null, 'Error: twice'],
      now: at(12),
    });
    expect(await box.attempts('a')).toEqual([
      { num_try: 1, outcome: 'failed', status: 'first', error: 'Error: first\n at x' },
      { num_try: 2, outcome: 'failed', status: 'second', error: null },
    ]);
    expect(await box.attempts('b')).toEqual([
      { num_try: 1, outcome: 'failed', status: 'once', error: null },
      { num_try: 2, outcome: 'aborted', status: 'twice', error: 'Error: twice' },
    ]);
    expect(await box.attempts('b', 'actor_id, started_at, ended_at')).toEqual([
      { actor_id: 'me', started_at: NOW, ended_at: at(3) },
      { actor_id: 'me', started_at: at(10), ended_at: at(12) },
    ]);
    expect(await box.statuses()).toMatchObject({ a: 'aborted', b: 'aborted' });
  });

  it('are none for a success, a snooze, a task handed back, and a token that does not hold', async () => {
    await box.insert(spec('a'), spec('b'), spec('c'), spec('d'));
    const held = await box.own();
    await returnAs(
      held.map((one) => (one.id === 'd' ? { ...one, token: NOBODYS } : one)),
      {
        codes: ['completed', 'pending', 'pending', 'aborted'],
        startAfters: [null, at(30), at(-30), null],
        errors: ['e', 'e', 'e', 'e'],
      },
    );
    expect(await box.values('select count(*)::integer from attempt')).toEqual([0]);
    expect(await box.task('c', 'num_tries, due_at')).toEqual({ num_tries: 0, due_at: null });
  });

  it('hold 16,384 characters of the error', async () => {
    await box.insert(spec('a'), spec('b'));
    const exact = '🙂'.repeat(16_384);
    await returnAs(await box.own(), { errors: [exact, `${exact}x`] });
    expect(await box.attempts('a', 'error')).toEqual([{ error: exact }]);
    expect(await box.attempts('b', 'error')).toEqual([{ error: exact }]);
  });

  it('are the last 100, also when a rerun counts the tries anew', async () => {
    await box.insert(spec('a'), spec('other'));
    for (let i = 1; i <= 60; i++) await returnAs(await box.own(), {});
    await returnAs(await box.own(), { codes: ['aborted', 'completed'] });
    await box.rows(`select rerun_tasks('{a}', p_now => $1)`, [NOW]);
    for (let i = 1; i <= 60; i++) await returnAs(await box.own(), {});
    const kept = await box.attempts('a', 'num_try, outcome');
    expect(kept).toHaveLength(100);
    expect(kept[0]).toEqual({ num_try: 22, outcome: 'failed' });
    expect(kept[39]).toEqual({ num_try: 61, outcome: 'aborted' });
    expect(kept.at(-1)).toEqual({ num_try: 60, outcome: 'failed' });
    expect(await box.attempts('other')).toHaveLength(60);
  });
});

describe('return_tasks with p_are_deleted', () => {
  it('deletes completed tasks with their attempts once they have signalled', async () => {
    box.test.allow({ signalsMayOutnumberSenders: true });
    await box.insert(
      spec('a', { targets: ['m'], uniqueKey: 'key' }),
      spec('b', { targets: ['after'] }),
      spec('m', { action: null, targets: ['after'] }),
      spec('after', { action: 'other' }),
    );
    await returnAs(await box.own({ duration: '1 minute' }), {});
    const held = await box.own({ duration: '1 minute' });
    const codes = ['completed', 'completed'];
    expect(await returnAs(held, { codes, areDeleted: [true, null] })).toEqual([]);
    expect(await box.statuses()).toEqual({ b: 'completed', m: 'completed', after: 'pending' });
    expect(await box.ready()).toEqual(['after']);
    expect(await box.values('select task_id from attempt')).toEqual(['b']);
    expect(await box.values('select key from unique_key')).toEqual([]);
    // The timer of its lease comes due and finds nothing.
    await box.rows('select run_timers($1)', [at(60)]);
    expect(await box.values('select count(*)::integer from timer')).toEqual([0]);
  });

  it('leaves a task that somebody watches, and tells them', async () => {
    await box.insert(spec('a'), spec('b'));
    const held = await box.own();
    const heard = await box.heard(['me'], async () => {
      await box.rows(`select watch_tasks('{a}', 'me')`);
      await returnAs(held, { codes: ['completed', 'completed'], areDeleted: [true, true] });
    });
    expect(heard).toEqual([['me', '["a"]']]);
    expect(await box.statuses()).toEqual({ a: 'completed' });
  });

  it('leaves what was not completed', async () => {
    await box.insert(spec('a'), spec('b'), spec('c', { maxTries: 1 }), spec('d'));
    const held = await box.own();
    await returnAs(
      held.map((one) => (one.id === 'd' ? { ...one, token: NOBODYS } : one)),
      {
        codes: ['aborted', 'pending', 'pending', 'completed'],
        areDeleted: [true, true, true, true],
      },
    );
    expect(await box.statuses()).toEqual({
      a: 'aborted',
      b: 'pending',
      c: 'aborted',
      d: 'in-progress',
    });
  });
});

describe('retry_delay', () => {
  const delay = (
    base: string | null,
    factor: number | null,
    longest: string | null,
    tries: number,
    jitter: number | null = null,
    random = 0.5,
  ) =>
    box.value(
      `select extract(epoch from retry_delay($1::interval, $2, $3::interval, $4, $5, $6))::double precision`,
      [base, factor, longest, tries, jitter, random],
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

  it('varies by the jitter at most, up and down', async () => {
    expect(await delay('10 seconds', null, null, 1, 0.25, 0)).toBe(7.5);
    expect(await delay('10 seconds', null, null, 1, 0.25, 0.5)).toBe(10);
    expect(await delay('10 seconds', null, null, 1, 0.25, 1)).toBe(12.5);
    expect(await delay('10 seconds', 3, null, 3, 1, 0)).toBe(0);
    expect(await delay('10 seconds', 3, null, 3, 1, 1)).toBe(180);
    expect(await delay(null, 3, null, 3, 1, 1)).toBeNull();
  });

  it('varies below the longest delay, and never goes over it', async () => {
    expect(await delay('10 seconds', 3, '1 minute', 50, 0.5, 0)).toBe(30);
    expect(await delay('10 seconds', 3, '1 minute', 50, 0.5, 0.25)).toBe(45);
    expect(await delay('10 seconds', 3, '1 minute', 50, 0.5, 1)).toBe(60);
    expect(await delay('1000 years', 3, null, 50, 1, 1)).toBe(3_155_760_000);
  });

  it('is drawn for each task by itself', async () => {
    const specs = Array.from({ length: 200 }, (_, i) =>
      spec(`t${i}`, { retryDelayMs: 100_000, retryJitter: 0.5 }),
    );
    await box.insert(...specs);
    await box.giveBack(await box.own(), 'pending');
    const [{ least, most, count } = {}] = await box.rows(
      `select extract(epoch from min(due_at) - $1)::integer as least, count(distinct due_at)::integer as count,
         extract(epoch from max(due_at) - $1)::integer as most from task`,
      [NOW],
    );
    expect(Number(least)).toBeGreaterThanOrEqual(50);
    expect(Number(most)).toBeLessThanOrEqual(150);
    // 200 draws that all fall into one half are less likely than one in 10^59.
    expect(Number(least)).toBeLessThan(100);
    expect(Number(most)).toBeGreaterThan(100);
    expect(Number(count)).toBeGreaterThan(190);
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
