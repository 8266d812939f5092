import { describe, expect, it } from 'vitest';
import { spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

function watch(ids: readonly string[], channel = 'channel') {
  return box.rows('select * from watch_tasks($1, $2)', [ids, channel]);
}

async function watchersOf(id: string): Promise<unknown> {
  return (await box.task(id, 'watchers'))?.watchers;
}

describe('watch_tasks', () => {
  it('tells those that ended, with how they ended, from those it watches and those it does not know', async () => {
    await box.insert(spec('ended'), spec('owned', { action: 'other' }), spec('pending'));
    await box.own({ actions: ['other'] });
    const held = await box.own({ maxTasks: 1 });
    await box.rows(
      `select return_tasks(array[$1], array[$2::uuid], '{aborted}', '{"why"}', array['[1]'::jsonb])`,
      [held[0]?.id, held[0]?.token],
    );
    const rows = await watch(['ended', 'missing', 'owned', 'pending']);
    expect(rows).toEqual([
      { id: 'ended', state: 'ended', status_code: 'aborted', status: 'why', result: [1] },
      { id: 'missing', state: 'missing', status_code: null, status: null, result: null },
      expect.objectContaining({ id: 'owned', state: 'watched', status_code: 'in-progress' }),
      expect.objectContaining({ id: 'pending', state: 'watched', status_code: 'pending' }),
    ]);
    expect(await watchersOf('pending')).toEqual(['channel']);
    expect(await watchersOf('ended')).toBeNull();
  });

  it('adds a channel once, however often it is asked, and next to others', async () => {
    await box.insert(spec('a'));
    await watch(['a'], 'one');
    await watch(['a'], 'one');
    await watch(['a'], 'two');
    expect(await watchersOf('a')).toEqual(['one', 'two']);
  });

  it('answers busy for a row that somebody has locked, watches the others, and never waits', async () => {
    await box.insert(spec('a'), spec('b'));
    // 1. Another session is about to end a.
    const other = await box.sessionThat(`select cancel_tasks('{a}', 'not wanted')`);
    // 2. a is busy; b is watched.
    expect(await watch(['a', 'b'])).toEqual([
      expect.objectContaining({ id: 'a', state: 'busy', status_code: 'pending' }),
      expect.objectContaining({ id: 'b', state: 'watched' }),
    ]);
    // 3. Asked again after the commit, it tells the end.
    await other.query('commit');
    expect(await watch(['a'])).toEqual([
      { id: 'a', state: 'ended', status_code: 'cancelled', status: 'not wanted', result: null },
    ]);
  });

  it('hears of the end that waited for it: none can slip between', async () => {
    await box.insert(spec('a'));
    const heard = await box.heard(['channel'], async () => {
      // 1. A session watches a and has not committed.
      const watcher = await box.sessionThat(`select watch_tasks('{a}', 'channel')`);
      // 2. Another cancels it, and waits for the row.
      const cancelled = box.rows(`select cancel_tasks('{a}')`);
      await box.untilSomebodyWaitsFor(watcher);
      // 3. The first commits; the second sees its channel.
      await watcher.query('commit');
      await cancelled;
    });
    expect(heard).toEqual([['channel', '["a"]']]);
  });
});
