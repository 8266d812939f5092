import { describe, expect, it } from 'vitest';
import { startScript } from '../../support/child-script.js';
import { eventually, listedIds } from '../../support/factories.js';
import { useTestDatabase } from '../../support/test-database.js';

const t = useTestDatabase();
const NUM_TASKS = 200_000;

/** Of the processes that use the test database: what COPY has taken in so far. */
async function rowsCopied(): Promise<number> {
  const { rows } = await t.db.pool.query(
    `select coalesce(sum(tuples_processed), 0)::int as rows
     from pg_stat_progress_copy join pg_stat_activity using (pid) where application_name = $1`,
    [t.db.schema],
  );
  return rows[0].rows;
}

describe('a process that is killed amid an insert', () => {
  it('leaves nothing of it, and its tasks can be inserted again', async () => {
    const { connectionString, schema } = t.db;
    const args = [connectionString, schema, String(NUM_TASKS)];
    const killed = startScript('insert-slowly.ts', args);
    await eventually(async () => expect(await rowsCopied()).toBeGreaterThan(1_000));
    await killed.kill();
    // The server notices, and rolls back.
    await eventually(async () => expect(await rowsCopied()).toBe(0));
    expect(await listedIds(t.db.box, { limit: 1 })).toEqual([]);

    const again = startScript('insert-slowly.ts', [connectionString, schema, '1000']);
    expect(await again.ended).toBeNull();
    expect(await listedIds(t.db.box)).toHaveLength(1_001);
  }, 60_000);
});
