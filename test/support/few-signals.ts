import type pg from 'pg';

/**
 * Makes signals to more than `max` targets wait on their way, in parts of `part`: what takes thousands of targets otherwise.
 * `pool`'s search_path is the engine's schema.
 */
export async function leaveSignals(
  pool: pg.Pool,
  { max, part }: { max: number; part: number },
): Promise<void> {
  await pool.query(
    `create or replace function are_many(p_targets text[]) returns boolean
       language sql immutable as 'select cardinality(p_targets) > ${max}';
     create or replace function signal_batch_size() returns integer
       language sql immutable as 'select ${part}'`,
  );
}
