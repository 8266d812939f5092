import { describe, expect, it } from 'vitest';
import { at, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

function cancel(ids: readonly string[], status: string | null = null, downstream = false) {
  return box.value('select cancel_tasks($1, $2, $3, $4)', [ids, status, downstream, at(1)]);
}

describe('cancel_tasks', () => {
  it('ends pending and in-progress tasks, takes them out of ready, and passes over the rest', async () => {
    await box.insert(spec('owned'), spec('ready'), spec('waiting', { givenTotal: 1 }));
    const held = await box.own({ maxTasks: 1 });
    await box.insert(spec('done', { action: 'other' }));
    await box.giveBack(await box.own({ actions: ['other'] }));
    expect(await cancel(['owned', 'ready', 'waiting', 'done', 'unknown'], 'why')).toBe(3);
    expect(await box.statuses()).toEqual({
      owned: 'cancelled',
      ready: 'cancelled',
      waiting: 'cancelled',
      done: 'completed',
    });
    expect(await box.ready()).toEqual([]);
    expect(await box.task('owned', 'status, finished_at')).toEqual({
      status: 'why',
      finished_at: at(1),
    });
    expect(await box.giveBack(held)).toEqual([{ id: 'owned', status_code: null }]);
  });

  it('signals a failure to the targets', async () => {
    await box.insert(spec('a', { targets: ['b'] }), spec('b', { runWhen: 'all_succeeded' }));
    await cancel(['a']);
    expect(await box.statuses()).toEqual({ a: 'cancelled', b: 'skipped' });
  });

  it('cancels also what is downstream, transitively, of whatever state what lies between', async () => {
    await box.insert(
      spec('a', { targets: ['b'] }),
      spec('b', { targets: ['c', 'd'] }),
      spec('c', { targets: ['e'] }),
      spec('d', { givenTotal: 1 }),
      spec('e'),
      spec('apart'),
    );
    await cancel(['b']);
    expect(await cancel(['a'], null, true)).toBe(4);
    expect(await box.statuses()).toEqual({
      a: 'cancelled',
      b: 'cancelled',
      c: 'cancelled',
      d: 'cancelled',
      e: 'cancelled',
      apart: 'pending',
    });
  });

  it('ends at a cycle that deletes and later inserts have made', async () => {
    await box.insert(spec('a', { targets: ['b'] }), spec('b'));
    await box.rows(`update task set to_signal_after = '{a}' where id = 'b'`);
    expect(await cancel(['a'], null, true)).toBe(2);
    await box.clear();
  });

  it('takes a milestone out of the engine lane', async () => {
    await box.insert(
      spec('m', { action: null, targets: ['after'], startAfterMs: at(5).getTime() }),
      spec('after'),
    );
    await box.rows('select run_timers($1)', [at(5)]);
    expect(await box.ready()).toEqual(['m']);
    await cancel(['m']);
    expect(await box.ready()).toEqual(['after']);
    expect(await box.statuses()).toEqual({ m: 'cancelled', after: 'pending' });
  });
});
