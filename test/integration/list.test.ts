import pg from 'pg';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type { TaskFilter } from '../../src/index.js';
import { giveBack, listedIds, own, range, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

/** How many rows of `task` the pool's one session has read since its counts were last handed in. */
async function rowsRead(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query(
    `select (pg_stat_get_xact_tuples_returned(c.oid) + pg_stat_get_tuples_returned(c.oid)
       + pg_stat_get_tuples_fetched(i.indexrelid))::int as count
     from pg_class c join pg_index i on i.indrelid = c.oid
     where c.oid = format('%I.task', $1::text)::regclass`,
    [t.schema],
  );
  return rows[0].count;
}

describe('listing', () => {
  it.each<[TaskFilter | undefined, string[]]>([
    [undefined, ['a/1', 'a/2', 'ab/1', 'b/1']],
    [{}, ['a/1', 'a/2', 'ab/1', 'b/1']],
    [{ idPrefix: 'a' }, ['a/1', 'a/2', 'ab/1']],
    [{ idPrefix: 'a/' }, ['a/1', 'a/2']],
    [{ idPrefix: '%' }, []],
    [{ actions: ['copy'] }, ['a/2', 'b/1']],
    [{ queues: ['slow', 'none'] }, ['ab/1']],
    [{ statusCodes: ['completed', 'aborted'] }, ['a/1']],
    [{ statusCodes: ['pending'], actions: ['copy'], idPrefix: 'a' }, ['a/2']],
    [{ limit: 2 }, ['a/1', 'a/2']],
    [{ limit: 0 }, []],
    [{ actions: [] }, []],
    [{ statusCodes: [] }, []],
  ])('by %j gives %j', async (filter, ids) => {
    const store = t.namespace();
    await store.insertTasks([
      task('b/1', { action: 'copy' }),
      task('ab/1', { queue: 'slow' }),
      task('a/2', { action: 'copy' }),
      task('a/1', { action: 'first' }),
    ]);
    await giveBack(store, await own(store, { actions: ['first'] }));
    expect(await listedIds(store, filter)).toEqual(ids);
  });

  it('goes page by page through more tasks than a page, in the order of their ids', async () => {
    const store = t.namespace();
    const ids = range(2500).map((i) => `t${i}`);
    await store.insertTasks(ids.map((id) => task(id)));
    expect(await listedIds(store)).toEqual([...ids].sort());
    expect(await listedIds(store, { limit: 1500 })).toEqual([...ids].sort().slice(0, 1500));
  });

  it('of a small part of a large table reads that part only', async () => {
    const store = t.box.withPrefix('range');
    await store.insertTasks(range(20_000).map((i) => task(`many/${i}`)));
    await store.insertTasks([task('few/1'), task('few/2'), task('zoo/1')]);
    const pool = new pg.Pool({ connectionString: inject('connectionString'), max: 1 });
    onTestFinished(() => pool.end());
    const box = await t.another({ pool });
    // A plan made for any prefix, which the server may settle on when it has planned a few times.
    await pool.query('set plan_cache_mode = force_generic_plan');
    const before = await rowsRead(pool);
    expect(await listedIds(box.withPrefix('range'), { idPrefix: 'few/' })).toEqual([
      'few/1',
      'few/2',
    ]);
    expect((await rowsRead(pool)) - before).toBeLessThan(100);
  });
});

describe('getting tasks', () => {
  it('gives those that exist in the order asked for', async () => {
    const store = t.namespace();
    await store.insertTasks(['a', 'b', 'c'].map((id) => task(id)));
    expect((await store.getTasks(['c', 'ghost', 'a'])).map(({ id }) => id)).toEqual(['c', 'a']);
    expect(await store.getTask('ghost')).toBeNull();
    expect(await store.getTasks([])).toEqual([]);
  });
});
