import type pg from 'pg';
import { onTestFinished } from 'vitest';

/** A session of the pool with an open transaction, rolled back at the end of the test unless it was ended before. */
export async function openTransaction(
  pool: pg.Pool,
  isolation: 'read committed' | 'repeatable read' = 'read committed',
): Promise<pg.PoolClient> {
  const session = await pool.connect();
  onTestFinished(async () => {
    await session.query('rollback');
    session.release();
  });
  await session.query(`begin isolation level ${isolation}`);
  return session;
}
