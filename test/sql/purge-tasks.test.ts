import { describe, expect, it } from 'vitest';
import { NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

const CALL = `select * from purge_tasks('', $1, null, $2, p_codes => $3, p_spares_owned => $4, p_now => $5)`;

function values(after = '', limit = 100, codes: string[] | null = null, sparesOwned = true) {
  return [after, limit, codes, sparesOwned, NOW];
}

function purge(...args: Parameters<typeof values>) {
  return box.rows(CALL, values(...args));
}

function left(): Promise<unknown[]> {
  return box.values('select id from task order by id');
}

describe('purge_tasks', () => {
  it('deletes a page of the tasks that fit, and says where to go on', async () => {
    await box.insert(spec('a'), spec('b'), spec('c'));
    expect(await purge('', 2)).toEqual([{ num_deleted: 2, num_found: 2, last_id: 'b' }]);
    expect(await purge('b', 2)).toEqual([{ num_deleted: 1, num_found: 1, last_id: 'c' }]);
    expect(await purge('c', 2)).toEqual([{ num_deleted: 0, num_found: 0, last_id: null }]);
  });

  it('deletes waiting tasks that are left without dependencies, and counts them', async () => {
    await box.insert(spec('a', { targets: ['z'] }), spec('z'));
    expect(await purge('', 1)).toEqual([{ num_deleted: 2, num_found: 1, last_id: 'a' }]);
    expect(await left()).toEqual([]);
  });

  it('passes over tasks in progress, unless told not to spare them', async () => {
    await box.insert(spec('a'), spec('b', { action: 'other' }));
    await box.own({ actions: ['other'] });
    expect(await purge()).toEqual([{ num_deleted: 1, num_found: 1, last_id: 'a' }]);
    expect(await left()).toEqual(['b']);
    await purge('', 100, null, false);
    expect(await left()).toEqual([]);
  });

  it('judges a task anew that somebody else has just changed', async () => {
    await box.insert(spec('a'), spec('b'));
    await box.giveBack(await box.own(), 'aborted');
    const session = await box.sessionThat(`select rerun_tasks('{a}', p_now => $1)`, [NOW]);
    const purged = purge('', 100, ['aborted']);
    await box.untilSomebodyWaitsFor(session);
    await session.query('commit');
    expect(await purged).toEqual([{ num_deleted: 1, num_found: 1, last_id: 'b' }]);
    expect(await box.statuses()).toEqual({ a: 'pending' });
  });

  it('spares a task that is owned while it waits', async () => {
    await box.insert(spec('a'), spec('b'));
    const owner = await box.sessionThat(
      `select id from own_tasks('me', '{default}', '{work}', 1, p_now => $1)`,
      [NOW],
    );
    const purged = purge();
    await box.untilSomebodyWaitsFor(owner);
    await owner.query('commit');
    expect(await purged).toMatchObject([{ num_deleted: 1, last_id: 'b' }]);
    expect(await box.statuses()).toEqual({ a: 'in-progress' });
  });
});
