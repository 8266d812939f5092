import type pg from 'pg';

/**
 * What this session has read of a table and its indexes, not all of it handed in yet. Compare two of one
 * transaction: other sessions do not show, and the server's own statistics, which come late, play no part.
 */
export async function readsOfSession(
  session: Pick<pg.ClientBase, 'query'> | pg.Pool,
  schema: string,
  table: string,
): Promise<{ readonly seqScans: number; readonly rows: number }> {
  const { rows } = await session.query(
    `select pg_stat_get_xact_numscans(c.oid)::int as "seqScans",
       (pg_stat_get_xact_tuples_returned(c.oid) + coalesce(sum(
         pg_stat_get_xact_tuples_returned(i.indexrelid)), 0))::int as rows
     from pg_class c left join pg_index i on i.indrelid = c.oid
     where c.relnamespace = $1::regnamespace and c.relname = $2
     group by c.oid`,
    [schema, table],
  );
  return rows[0];
}

/** What the work of this session reads of a table and its indexes, in a transaction that is rolled back. */
export async function readsDuring<T>(
  session: Pick<pg.ClientBase, 'query'> | pg.Pool,
  schema: string,
  table: string,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly seqScans: number; readonly rows: number }> {
  await session.query('begin');
  try {
    const before = await readsOfSession(session, schema, table);
    const result = await work();
    const after = await readsOfSession(session, schema, table);
    return {
      result,
      seqScans: after.seqScans - before.seqScans,
      rows: after.rows - before.rows,
    };
  } finally {
    await session.query('rollback');
  }
}
