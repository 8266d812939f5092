import { describe, expect, it } from 'vitest';
import { at, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

function runTimers(seconds: number): Promise<unknown> {
  return box.value('select run_timers($1)', [at(seconds)]);
}

describe('run_timers', () => {
  it('puts tasks into their lanes when their time has come, not before', async () => {
    await box.insert(spec('a', { startAfterMs: at(10).getTime() }));
    expect(await runTimers(9)).toBe(0);
    expect(await box.ready()).toEqual([]);
    expect(await runTimers(10)).toBe(1);
    expect(await box.ready()).toEqual(['a']);
    expect((await box.task('a', 'due_at'))?.due_at).toBeNull();
  });

  it('takes back tasks whose deadline has lapsed: as a retry while they have tries left', async () => {
    await box.insert(spec('a', { maxTries: 2, retryDelayMs: 5_000 }));
    await box.own({ duration: '1 second' });
    await runTimers(1);
    expect(await box.task('a', 'status_code, status, num_tries, due_at')).toEqual({
      status_code: 'pending',
      status: expect.stringContaining('deadline of try 1 by actor me lapsed at'),
      num_tries: 1,
      due_at: at(6),
    });
  });

  it('aborts tasks whose last try lapsed, with a status that says so, and signals a failure', async () => {
    await box.insert(
      spec('a', { maxTries: 1, targets: ['b'] }),
      spec('b', { runWhen: 'any_failed' }),
    );
    await box.own({ duration: '1 second' });
    await runTimers(1);
    expect(await box.task('a', 'status_code, status, finished_at')).toEqual({
      status_code: 'aborted',
      status: expect.stringContaining('deadline of try 1 by actor me lapsed at'),
      finished_at: at(1),
    });
    expect(await box.ready()).toEqual(['b']);
  });

  it('keeps an attempt of each try that lapsed', async () => {
    await box.insert(spec('a', { maxTries: 2 }));
    for (const seconds of [0, 10]) {
      await box.own({ duration: '1 second', now: at(seconds) });
      await runTimers(seconds + 2);
    }
    const lapsed = { actor_id: 'me', outcome: 'lapsed', error: null };
    const columns = 'num_try, actor_id, started_at, ended_at, outcome, status, error';
    expect(await box.attempts('a', columns)).toEqual([
      {
        ...lapsed,
        num_try: 1,
        started_at: at(0),
        ended_at: at(2),
        status: expect.stringContaining('deadline of try 1 by actor me lapsed at'),
      },
      {
        ...lapsed,
        num_try: 2,
        started_at: at(10),
        ended_at: at(12),
        status: expect.stringContaining('deadline of try 2 by actor me lapsed at'),
      },
    ]);
    expect(await box.task('a', 'status_code, updated_at')).toEqual({
      status_code: 'aborted',
      updated_at: at(12),
    });
  });

  it('gives the try back to a task that was owned ahead: no delay, no attempt, no end', async () => {
    await box.insert(spec('a', { maxTries: 1, retryDelayMs: 5_000 }), spec('b', { maxTries: 1 }));
    await box.own({ duration: '1 second' });
    await box.ahead('a');
    await runTimers(1);
    expect(await box.task('a', 'status_code, status, num_tries, due_at, started_at')).toEqual({
      status_code: 'pending',
      status: 'owned ahead by actor me, which went away before it began',
      num_tries: 0,
      due_at: null,
      started_at: null,
    });
    expect(await box.ready()).toEqual(['a']);
    expect(await box.attempts('a')).toEqual([]);
    expect(await box.statuses()).toEqual({ a: 'pending', b: 'aborted' });
  });

  it('forgets unique keys that were kept until now', async () => {
    await box.insert(
      spec('a', { uniqueKey: 'short', uniqueForMs: 10_000 }),
      spec('b', { uniqueKey: 'long', uniqueForMs: 60_000 }),
      spec('c', { uniqueKey: 'held', uniqueForMs: 10_000, action: 'other' }),
      spec('d', { startAfterMs: at(20).getTime(), action: 'other' }),
    );
    await box.giveBack(await box.own());
    await runTimers(20);
    expect(await box.values('select key from unique_key order by key')).toEqual(['held', 'long']);
  });

  it('looks at a lease again at its deadline, or in five minutes at the latest', async () => {
    await box.insert(spec('a'));
    await box.own({ duration: '12 minutes' });
    const dues: unknown[] = [];
    for (const seconds of [300, 600, 720]) {
      dues.push(await box.value('select due from timer'));
      await runTimers(seconds);
    }
    expect(dues).toEqual([at(300), at(600), at(720)]);
    expect(await box.values('select due from timer')).toEqual([]);
    expect(await box.statuses()).toEqual({ a: 'pending' });
  });

  it('forgets the leases of a batch that was returned', async () => {
    await box.insert(spec('a'));
    await box.giveBack(await box.own({ duration: '12 minutes' }));
    await runTimers(300);
    expect(await box.rows('select * from timer')).toEqual([]);
  });

  it('passes over tasks that no longer fit: deleted, cancelled, put off', async () => {
    const soon = { startAfterMs: at(10).getTime() };
    await box.insert(spec('deleted', soon), spec('cancelled', soon), spec('put off', soon));
    await box.rows(`select delete_tasks('{deleted}')`);
    await box.rows(`select cancel_tasks('{cancelled,put off}', p_now => $1)`, [NOW]);
    await box.rows(`select rerun_tasks('{put off}', false, $1, $2)`, [at(20), NOW]);
    await runTimers(10);
    expect(await box.ready()).toEqual([]);
    await runTimers(20);
    expect(await box.ready()).toEqual(['put off']);
  });

  it('comes back for a delayed task that somebody had locked', async () => {
    await box.insert(
      spec('a', { startAfterMs: at(10).getTime() }),
      spec('b', { startAfterMs: at(10).getTime() }),
    );
    // 1. Another session has a.
    await box.sessionThat(`select * from task where id = 'a' for update`);
    // 2. The timer is due: b becomes ready; a gets a timer of its own, which is due at once.
    await runTimers(11);
    expect(await box.ready()).toEqual(['b']);
    expect(await box.rows('select due, ids from timer')).toEqual([{ due: at(11), ids: ['a'] }]);
    // 3. Still locked: the same again.
    await runTimers(12);
    expect(await box.rows('select due, ids from timer')).toEqual([{ due: at(12), ids: ['a'] }]);
    // 4. Free: it becomes ready.
    await box.endSessions();
    await runTimers(12);
    expect(await box.ready()).toEqual(['b', 'a']);
  });

  it('comes back for a lapsed task that somebody had locked', async () => {
    await box.insert(spec('a'), spec('b'));
    await box.own({ duration: '1 second' });
    // 1. Another session has a.
    await box.sessionThat(`select * from task where id = 'a' for update`);
    // 2. The deadline passes: b lapses; a gets a timer that is due at once.
    await runTimers(2);
    expect(await box.statuses()).toEqual({ a: 'in-progress', b: 'pending' });
    expect(await box.rows('select due, kind, ids from timer')).toEqual([
      { due: at(2), kind: 'lease', ids: ['a'] },
    ]);
    // 3. Free: it lapses.
    await box.endSessions();
    await runTimers(2);
    expect(await box.statuses()).toEqual({ a: 'pending', b: 'pending' });
  });

  it('comes back for a task that lapses for good when somebody had locked its target', async () => {
    const once = { action: 'upstream', maxTries: 1 };
    await box.insert(
      spec('a', { ...once, targets: ['c'] }),
      spec('b', { ...once, targets: ['d'] }),
      spec('c'),
      spec('d'),
    );
    await box.own({ actions: ['upstream'], duration: '1 second' });
    // 1. Another session has c, the target of a.
    await box.sessionThat(`select * from task where id = 'c' for update`);
    // 2. The deadlines pass: b lapses and signals d; a gets a timer that is due at once.
    await runTimers(2);
    expect(await box.statuses()).toEqual({
      a: 'in-progress',
      b: 'aborted',
      c: 'pending',
      d: 'pending',
    });
    expect(await box.ready()).toEqual(['d']);
    expect(await box.rows('select due, kind, ids from timer')).toEqual([
      { due: at(2), kind: 'lease', ids: ['a'] },
    ]);
    // 3. Free: it lapses and signals.
    await box.endSessions();
    await runTimers(2);
    expect(await box.ready()).toEqual(['d', 'c']);
  });

  it('leaves timers that another session is running', async () => {
    await box.insert(spec('a', { startAfterMs: at(10).getTime() }));
    // 1. Another session runs the timer and has not committed.
    const other = await box.sessionThat('select run_timers($1)', [at(10)]);
    // 2. This one finds nothing to run, and does not wait.
    expect(await runTimers(10)).toBe(0);
    // 3. The other fails; the timer is there again.
    await other.query('rollback');
    expect(await runTimers(10)).toBe(1);
  });

  it('runs at most 100 timers a call, the earliest first', async () => {
    const specs = Array.from({ length: 120 }, (_, i) =>
      spec(`t${String(i).padStart(3, '0')}`, { startAfterMs: at(1 + i).getTime() }),
    );
    await box.insert(...specs);
    expect(await runTimers(1_000)).toBe(100);
    expect(await box.ready()).toEqual(specs.slice(0, 100).map(({ id }) => id));
    expect(await runTimers(1_000)).toBe(20);
  });

  it('runs about 2,000 tasks a call', async () => {
    const specs = Array.from({ length: 3_000 }, (_, i) =>
      spec(`t${i}`, { startAfterMs: at(1 + (i % 10)).getTime() }),
    );
    await box.insert(...specs);
    expect(await runTimers(1_000)).toBe(7);
    expect(await box.ready()).toHaveLength(2_100);
    expect(await runTimers(1_000)).toBe(3);
    expect(await box.ready()).toHaveLength(3_000);
  });
});
