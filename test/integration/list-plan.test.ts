import pg from 'pg';
import { expect, inject, it, vi } from 'vitest';
import { listedIds, range, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

/** How often `task` was scanned and how many rows that read, as far as the server has been told. */
async function reads(): Promise<{ scans: number; rows: number }> {
  const { rows } = await t.pool.query(
    `select (t.seq_scan + t.idx_scan)::int as scans, (t.seq_tup_read + i.idx_tup_read)::int as rows
     from pg_stat_user_tables t join pg_stat_user_indexes i using (relid)
     where t.schemaname = $1 and t.relname = 'task'`,
    [t.schema],
  );
  return rows[0];
}

it('listing a small part of a large table reads that part only, whatever the plan is made for', async () => {
  const store = t.box.withPrefix('a');
  await store.insertTasks(range(20_000).map((i) => task(`many/${i}`)));
  await store.insertTasks([task('few/1'), task('few/2'), task('zoo/1')]);
  await t.pool.query('analyze task');

  for (const mode of ['force_custom_plan', 'force_generic_plan']) {
    const before = await reads();
    const pool = new pg.Pool({ connectionString: inject('connectionString'), max: 1 });
    await pool.query(`select set_config('plan_cache_mode', $1, false)`, [mode]);
    const box = await t.another({ pool });
    const ids = await listedIds(box.withPrefix('a'), { idPrefix: 'few/' });
    expect(ids).toEqual(['few/1', 'few/2']);
    // A session that ends hands its counts in.
    await pool.end();
    await vi.waitFor(
      async () => expect((await reads()).scans).toBeGreaterThan(before.scans),
      20_000,
    );
    expect((await reads()).rows - before.rows).toBeLessThan(100);
  }
});
