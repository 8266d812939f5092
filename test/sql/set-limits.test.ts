import { describe, expect, it } from 'vitest';
import { at, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

function limits() {
  return box.rows(
    `select key, max_in_progress, rate_count, rate_interval::text from limit_key order by key`,
  );
}

describe('set_limits', () => {
  it('sets and changes limits, each for itself, and takes them away', async () => {
    await box.limit('a', 5);
    await box.limit('b', null, { count: 3, interval: '2 seconds' });
    await box.limit('a', 7, { count: 1, interval: '1 minute' });
    expect(await limits()).toEqual([
      { key: 'a', max_in_progress: 7, rate_count: 1, rate_interval: '00:01:00' },
      { key: 'b', max_in_progress: null, rate_count: 3, rate_interval: '00:00:02' },
    ]);
    await box.limit('a', null);
    expect((await limits())[0]).toEqual({
      key: 'a',
      max_in_progress: null,
      rate_count: null,
      rate_interval: null,
    });
  });

  it('locks no key whose limits stand already', async () => {
    await box.limit('a', 5);
    const other = await box.sessionThat(`select * from limit_key where key = 'a' for update`);
    await box.limit('a', 5);
    await other.query('rollback');
  });

  it('waits for a claim of the key that is under way, then opens the lanes that it closed', async () => {
    await box.limit('k', 1);
    await box.insert(spec('a', { limitKey: 'k' }), spec('b', { limitKey: 'k' }));
    // 1. A claim takes the only slot, closes the lane, and has not committed.
    const claimer = await box.sessionThat(
      `select own_tasks('me', '{default}', '{work}', 9, p_now => $1)`,
      [NOW],
    );
    // 2. The limit is raised, which waits.
    const raised = box.limit('k', 2);
    await box.untilSomebodyWaitsFor(claimer);
    await claimer.query('commit');
    await raised;
    // 3. The lane is open.
    expect(await box.ownMore()).toHaveLength(1);
  });

  it('wakes those who sleep on a lane that opens', async () => {
    await box.limit('k', 1);
    await box.insert(spec('a', { limitKey: 'k' }), spec('b', { limitKey: 'k' }));
    await box.ownMore();
    const heard = await box.heard(['one'], async () => {
      await box.rows(`select sleep_on_lanes('one', '{default}', '{work}', $1)`, [at(60)]);
      await box.limit('k', null);
    });
    expect(heard).toEqual([['one', 'ready']]);
  });

  it('refuses a limit of none', async () => {
    await expect(box.limit('k', 0)).rejects.toThrow('a limit is at least 1');
  });
});

describe('next_ready_at', () => {
  const next = (now = NOW) => box.value(`select next_ready_at('{default}', '{work}', $1)`, [now]);

  it('is when a closed lane opens, and now when it is open', async () => {
    await box.limit('k', 1);
    await box.insert(spec('a', { limitKey: 'k' }), spec('b', { limitKey: 'k' }));
    expect(await next()).toEqual(NOW);
    await box.ownMore();
    expect(await next()).toEqual(at(10));
    expect(await next(at(11))).toEqual(at(11));
  });

  it('is nothing when the lanes that are listed are empty', async () => {
    await box.limit('k', 1);
    await box.insert(spec('a', { limitKey: 'k' }), spec('b', { fairKey: 'f' }));
    await box.rows(`select cancel_tasks('{a,b}')`);
    expect(await next()).toBeNull();
  });
});
