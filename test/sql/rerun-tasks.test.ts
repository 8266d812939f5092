import { describe, expect, it } from 'vitest';
import { at, expectRaise, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

function rerun(ids: readonly string[], downstream = false, startAfter: Date | null = null) {
  return box.value('select rerun_tasks($1, $2, $3, $4)', [ids, downstream, startAfter, NOW]);
}

/** Owns and completes until nothing is ready. */
async function drain(): Promise<void> {
  for (let held = await box.own(); held.length > 0; held = await box.own()) {
    await box.giveBack(held);
  }
}

describe('rerun_tasks', () => {
  it('makes an ended task pending as if it had never been tried', async () => {
    await box.insert(spec('a', { maxTries: 1 }));
    await box.giveBack(await box.own(), 'pending');
    expect(await box.statuses()).toEqual({ a: 'aborted' });
    expect(await rerun(['a'])).toBe(1);
    expect(
      await box.task(
        'a',
        'status_code, status, result, num_tries, actor_id, started_at, finished_at',
      ),
    ).toEqual({
      status_code: 'pending',
      status: null,
      result: null,
      num_tries: 0,
      actor_id: null,
      started_at: null,
      finished_at: null,
    });
    expect(await box.ready()).toEqual(['a']);
  });

  it('passes over tasks that have not ended, also with downstream', async () => {
    await box.insert(spec('a', { targets: ['b'] }), spec('b'));
    expect(await rerun(['a', 'unknown'])).toBe(0);
    expect(await rerun(['a'], true)).toBe(0);
    const before = await box.rows('select * from task');
    expect(await rerun(['b'], true)).toBe(0);
    expect(await box.rows('select * from task')).toEqual(before);
  });

  it('keeps the tasks named back until p_start_after, not those downstream', async () => {
    await box.insert(spec('a', { targets: ['b'] }), spec('b'));
    await drain();
    expect(await rerun(['a'], true, at(60))).toBe(2);
    expect(await box.rows('select id, due_at from task order by id')).toEqual([
      { id: 'a', due_at: at(60) },
      { id: 'b', due_at: null },
    ]);
  });

  it('takes back its signals from tasks that are pending: they wait once more', async () => {
    await box.insert(
      spec('a', { targets: ['b', 'c'] }),
      spec('b', { action: 'later' }),
      spec('c', { action: 'later' }),
    );
    await drain();
    expect(await box.ready()).toEqual(['b', 'c']);
    await rerun(['a']);
    expect(await box.ready()).toEqual(['a']);
    await drain();
    expect(await box.ready()).toEqual(expect.arrayContaining(['b', 'c']));
  });

  it('takes back its signals from cancelled tasks: run again, they wait for it', async () => {
    allowOutnumbering();
    await box.insert(
      spec('a', { targets: ['c'] }),
      spec('b', { action: 'later', targets: ['c'] }),
      spec('c', { action: 'later' }),
    );
    await drain();
    await box.rows(`select cancel_tasks('{c}')`);
    await rerun(['a']);
    await drain();
    await rerun(['c']);
    // Only a has signalled, though it did so twice.
    expect(await box.task('c', 'status_code, num_signals, total_dependencies')).toEqual({
      status_code: 'pending',
      num_signals: 1,
      total_dependencies: 2,
    });
  });

  it('leaves alone the targets that have begun', async () => {
    allowOutnumbering();
    await box.insert(spec('a', { targets: ['b'] }), spec('b', { action: 'later' }));
    await drain();
    await box.own({ actions: ['later'] });
    await rerun(['a']);
    expect(await box.statuses()).toEqual({ a: 'pending', b: 'in-progress' });
  });

  it('resets all downstream, whatever their state, and tells their owners', async () => {
    await box.insert(
      spec('a', { targets: ['b', 'm'] }),
      spec('b', { action: 'later', targets: ['c'] }),
      spec('m', { action: null, targets: ['c'] }),
      spec('c', { action: 'later' }),
    );
    await drain();
    const held = await box.own({ actions: ['later'] });
    expect(await rerun(['a'], true)).toBe(4);
    expect(await box.giveBack(held)).toEqual([{ id: 'b', status_code: null }]);
    expect(await box.rows('select id, num_signals from task order by id')).toEqual([
      { id: 'a', num_signals: 0 },
      { id: 'b', num_signals: 0 },
      { id: 'c', num_signals: 0 },
      { id: 'm', num_signals: 0 },
    ]);
    expect(await box.ready()).toEqual(['a']);
  });

  it('takes the unique keys again, or raises SB006 with those that others took since', async () => {
    await box.insert(spec('a', { uniqueKey: 'k' }), spec('b', { uniqueKey: 'l' }));
    await drain();
    await box.insert(spec('new', { uniqueKey: 'k' }));
    await expectRaise(rerun(['a', 'b']), 'SB006', ['k']);
    expect(await box.statuses()).toEqual({ a: 'completed', b: 'completed', new: 'pending' });
    expect(await rerun(['b'])).toBe(1);
  });

  it('keeps the attempts that failed', async () => {
    await box.insert(spec('a', { maxTries: 1 }));
    await box.giveBack(await box.own(), 'pending');
    await rerun(['a']);
    await box.giveBack(await box.own(), 'pending');
    expect(await box.attempts('a', 'num_try, outcome')).toEqual([
      { num_try: 1, outcome: 'failed' },
      { num_try: 1, outcome: 'failed' },
    ]);
  });

  it('runs a milestone again at once when nothing is to be waited for', async () => {
    await box.insert(spec('m', { action: null, targets: ['b'] }), spec('b'));
    await rerun(['m']);
    expect(await box.statuses()).toEqual({ m: 'completed', b: 'pending' });
    expect(await box.task('b', 'num_signals')).toEqual({ num_signals: 1 });
  });
});

function allowOutnumbering(): void {
  box.test.allow({ signalsMayOutnumberSenders: true });
}
