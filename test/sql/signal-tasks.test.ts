import { describe, expect, it } from 'vitest';
import { NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

function signal(ids: readonly string[], failed = false) {
  return box.value('select signal_tasks($1, $2, $3)', [ids, failed, NOW]);
}

describe('signal_tasks', () => {
  it('gives each task one signal and answers how many still waited', async () => {
    await box.insert(spec('a', { givenTotal: 2 }), spec('b', { givenTotal: 1 }), spec('c'));
    expect(await signal(['a', 'a', 'b', 'c', 'unknown'])).toBe(2);
    expect(await box.task('a', 'num_signals, num_failures')).toEqual({
      num_signals: 1,
      num_failures: 0,
    });
    expect(await box.ready()).toEqual(['c', 'b']);
  });

  it('can carry a failure', async () => {
    await box.insert(spec('a', { givenTotal: 1, runWhen: 'any_failed' }));
    await signal(['a'], true);
    expect(await box.ready()).toEqual(['a']);
  });

  it('passes over tasks that have all their signals, or have ended', async () => {
    await box.insert(spec('full', { givenTotal: 1 }), spec('cancelled', { givenTotal: 1 }));
    await signal(['full']);
    await box.rows(`select cancel_tasks('{cancelled}')`);
    expect(await signal(['full', 'cancelled'])).toBe(0);
    expect(await signal([])).toBe(0);
    expect((await box.task('cancelled', 'num_signals'))?.num_signals).toBe(0);
  });

  it('settles the milestones that it completes, and what follows', async () => {
    await box.insert(spec('m', { action: null, givenTotal: 1, targets: ['after'] }), spec('after'));
    await signal(['m']);
    expect(await box.statuses()).toEqual({ m: 'completed', after: 'pending' });
    expect(await box.ready()).toEqual(['after']);
  });
});
