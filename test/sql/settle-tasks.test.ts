import { describe, expect, it } from 'vitest';
import { NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

function settle(): Promise<unknown> {
  return box.value('select settle_tasks($1)', [NOW]);
}

describe('settle_tasks', () => {
  it('completes milestones, one after the other', async () => {
    const chain = Array.from({ length: 15 }, (_, i) =>
      spec(`m${i}`, { action: null, targets: i < 14 ? [`m${i + 1}`] : [] }),
    );
    await box.insert(spec('first', { targets: ['m0'] }), ...chain);
    await box.giveBack(await box.own());
    expect(new Set(Object.values(await box.statuses()))).toEqual(new Set(['completed']));
  });

  it('skips what its run_when forbids, says why, and signals that it was skipped', async () => {
    await box.insert(
      spec('a', { targets: ['b'] }),
      spec('b', { runWhen: 'any_failed', targets: ['c'] }),
      spec('c', { runWhen: 'all_succeeded', targets: ['d'] }),
      spec('d'),
    );
    await box.giveBack(await box.own());
    expect(await box.statuses()).toEqual({
      a: 'completed',
      b: 'skipped',
      c: 'skipped',
      d: 'pending',
    });
    expect(await box.task('b', 'status, finished_at')).toEqual({
      status: 'any_failed does not hold: of 1 dependencies 0 failed, 0 were skipped',
      finished_at: NOW,
    });
    expect(await box.task('d', 'num_signals, num_failures, num_skipped')).toEqual({
      num_signals: 1,
      num_failures: 0,
      num_skipped: 1,
    });
    expect(await box.ready()).toEqual(['d']);
  });

  it('completes a milestone whatever its dependencies came to', async () => {
    await box.insert(
      spec('a', { targets: ['m'] }),
      spec('m', { action: null, runWhen: 'all_succeeded' }),
    );
    await box.giveBack(await box.own(), 'aborted');
    expect(await box.statuses()).toEqual({ a: 'aborted', m: 'completed' });
  });

  it('goes on for 20 rounds and leaves the rest to the next call', async () => {
    const chain = Array.from({ length: 25 }, (_, i) =>
      spec(`m${i}`, { action: null, targets: i < 24 ? [`m${i + 1}`] : [] }),
    );
    await box.insert(...chain);
    expect(await box.ready()).toEqual(['m20']);
    expect(await settle()).toBe(5);
    expect(await settle()).toBe(0);
  });

  it('leaves a task that somebody has locked, and settles it at the next own', async () => {
    await box.insert(
      spec('a', { targets: ['m'] }),
      spec('m', { action: null, targets: ['after'] }),
      spec('after'),
    );
    const held = await box.own();
    // 1. Another session has the target of m.
    const other = await box.sessionThat(`select * from task where id = 'after' for no key update`);
    // 2. The return signals m, finds the target of m locked, and does not wait.
    expect(await box.giveBack(held)).toEqual([]);
    expect(await box.ready()).toEqual(['m']);
    expect(await settle()).toBe(0);
    // 3. The target is free: the next own settles m and gets what follows it.
    await other.query('commit');
    expect((await box.own()).map(({ id }) => id)).toEqual(['after']);
    expect(await box.statuses()).toMatchObject({ m: 'completed' });
  });

  it('leaves a milestone that another session is settling', async () => {
    await box.insert(spec('m', { action: null, givenTotal: 1 }));
    // 1. Another session signals m, which settles it, and has not committed.
    const other = await box.sessionThat(`select signal_tasks('{m}', false, $1)`, [NOW]);
    // 2. Nothing here to settle, and nothing to wait for.
    expect(await settle()).toBe(0);
    expect(await box.statuses()).toEqual({ m: 'pending' });
    // 3. It is there when the other commits.
    await other.query('commit');
    expect(await box.statuses()).toEqual({ m: 'completed' });
  });

  it('settles what it can of a round, and not the tasks that share a locked target', async () => {
    await box.insert(
      spec('start', { targets: ['m1', 'm2', 'm3'] }),
      spec('m1', { action: null, targets: ['free'] }),
      spec('m2', { action: null, targets: ['locked', 'free'] }),
      spec('m3', { action: null, targets: ['locked'] }),
      spec('free'),
      spec('locked'),
    );
    const held = await box.own();
    // 1. Another session has one of the targets.
    await box.sessionThat(`select * from task where id = 'locked' for no key update`);
    // 2. Only the milestone that does not lead there completes.
    await box.giveBack(held);
    expect(await box.statuses()).toMatchObject({ m1: 'completed', m2: 'pending', m3: 'pending' });
    // 3. The others follow.
    await box.endSessions();
    expect(await settle()).toBe(2);
    expect(await box.ready()).toEqual(expect.arrayContaining(['free', 'locked']));
  });

  it('signals nothing for targets that were deleted', async () => {
    await box.insert(
      spec('a', { targets: ['m'] }),
      spec('m', { action: null, targets: ['gone', 'there'] }),
      spec('gone'),
      spec('there'),
    );
    await box.rows(`select delete_tasks('{gone}')`);
    await box.giveBack(await box.own());
    expect(await box.ready()).toEqual(['there']);
  });
});
