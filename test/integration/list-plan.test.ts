import pg from 'pg';
import { expect, inject, it, onTestFinished } from 'vitest';
import { listedIds, range, task } from '../support/factories.js';
import { readsDuring } from '../support/session-reads.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

it.each(['force_custom_plan', 'force_generic_plan'])(
  'listing a small part of a large table reads that part only, by %s',
  async (mode) => {
    const store = t.box.withPrefix(mode);
    await store.insertTasks(range(20_000).map((i) => task(`many/${i}`)));
    await store.insertTasks([task('few/1'), task('few/2'), task('zoo/1')]);
    await t.pool.query('analyze task');

    const pool = new pg.Pool({ connectionString: inject('connectionString'), max: 1 });
    onTestFinished(() => pool.end());
    const box = await t.another({ pool });
    await pool.query(`select set_config('plan_cache_mode', $1, false)`, [mode]);
    const { result, seqScans, rows } = await readsDuring(pool, t.schema, 'task', () =>
      listedIds(box.withPrefix(mode), { idPrefix: 'few/' }),
    );

    expect(result).toEqual(['few/1', 'few/2']);
    expect(seqScans).toBe(0);
    expect(rows).toBeLessThan(100);
  },
);
