import { expect, it } from 'vitest';
import { milestone, range, task } from '../support/factories.js';
import { readsDuring } from '../support/session-reads.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox({}, { ownDatabase: true });

/** How many rows of ready a statement reads, rolled back, without statistics of the table. */
async function readsOf(sql: string, ids: readonly string[]): Promise<number> {
  const session = await t.pool.connect();
  try {
    const { seqScans, rows } = await readsDuring(session, t.schema, 'ready', () =>
      session.query(sql, [ids]),
    );
    expect(seqScans).toBe(0);
    return rows;
  } finally {
    session.release();
  }
}

it.each([
  ['cancelling', 'select cancel_tasks($1)'],
  ['deleting', 'select delete_tasks($1)'],
  [
    'updating',
    `select update_tasks($1, array_fill(null::jsonb, n), array_fill(false, n), array_fill(1::smallint, n),
       array_fill(null::timestamptz, n), array_fill(false, n))
     from (values (array[cardinality($1::text[])])) as v (n)`,
  ],
])('%s ready tasks looks up the place of each, and does not read their lane', async (verb, sql) => {
  const ids = range(2_000).map((i) => `${i}`);
  await t.box.withPrefix(verb).insertTasks(ids.map((id) => task(id)));
  const some = ids.slice(1_000, 1_020).map((id) => `${verb}.${id}`);
  expect(await readsOf(sql, some)).toBeLessThan(200);
});

it('settling looks up the place of each task, and does not read the lane of the engine', async () => {
  const ids = range(8_000).map((i) => `${i}`);
  const root = milestone('root', { totalDependencies: 1, toSignalAfter: ids });
  await t.box.withPrefix('settling').insertTasks([root, ...ids.map((id) => milestone(id))]);
  expect(await readsOf('select signal_tasks($1)', ['settling.root'])).toBeLessThan(100_000);
});
