import type pg from 'pg';
import { expect } from 'vitest';

/** What a test did that makes an invariant hold only in part. */
export interface InvariantExceptions {
  /** Ended tasks were deleted, or reruns left begun targets alone: signals may outnumber their senders. */
  signalsMayOutnumberSenders?: boolean;
}

/** One query for each invariant of the engine; each gives the ids that break it. */
function queries(schema: string, exceptions: InvariantExceptions): Record<string, string> {
  const compare = exceptions.signalsMayOutnumberSenders ? '<' : '<>';
  return {
    'a task is in ready at most once': `
      select id from ${schema}.ready group by id having count(*) > 1`,
    'a task in ready is pending, has all its signals, waits for no timer, and is in its lane': `
      select r.id from ${schema}.ready r left join ${schema}.task t using (id)
      where t.id is null or t.status_code <> 'pending' or t.num_signals <> t.total_dependencies
        or t.due_at is not null or t.seq <> r.seq or t.priority <> r.priority
        or (r.queue, r.action) is distinct from (case
          when t.action is not null and ${schema}.may_run(t.run_when, t.num_signals,
            t.num_failures, t.num_skipped) then (t.queue, t.action)
          else (''::text collate "C", ''::text collate "C") end)`,
    'every pending task with all its signals is in ready or in a timer': `
      with timed as (
        select i.id, min(m.due) as due from ${schema}.timer m cross join unnest(m.ids) as i (id)
        where m.kind = 'start' group by i.id
      )
      select t.id from ${schema}.task t
      left join ${schema}.ready r on r.id = t.id left join timed m on m.id = t.id
      where t.status_code = 'pending' and t.num_signals = t.total_dependencies
        and not coalesce(t.due_at is null and r.id is not null, false)
        and not coalesce(m.due <= t.due_at, false)`,
    'a token exists exactly while in progress': `
      select id from ${schema}.task
      where (performance_token is not null) <> (status_code = 'in-progress')`,
    'every deadline is watched by a timer at or before it': `
      with timed as (
        select i.id, min(m.due) as due from ${schema}.timer m cross join unnest(m.ids) as i (id)
        where m.kind = 'lease' group by i.id
      )
      select t.id from ${schema}.task t left join timed m on m.id = t.id
      where t.status_code = 'in-progress' and t.action_deadline is not null
        and not coalesce(m.due <= t.action_deadline, false)`,
    'failures and skips fit the signals, signals fit the total': `
      select id from ${schema}.task
      where num_failures + num_skipped > num_signals or num_signals > total_dependencies`,
    'computed totals: as many signals as ended tasks that list it': `
      with signal as (
        select i.id, count(*) as count from ${schema}.task s cross join unnest(s.to_signal_after) as i (id)
        where s.status_code >= 'completed' group by i.id
      )
      select t.id from ${schema}.task t left join signal s on s.id = t.id
      where not t.total_is_given and t.status_code in ('pending', 'cancelled')
        and t.num_signals ${compare} coalesce(s.count, 0)`,
    'finished_at is set exactly on terminal tasks': `
      select id from ${schema}.task
      where (finished_at is not null) <> (status_code in ('completed', 'aborted', 'skipped', 'cancelled'))`,
    'unique keys are held exactly by unfinished tasks': `
      select coalesce(k.task_id, t.id) from ${schema}.unique_key k full join (
        select id, unique_key from ${schema}.task
        where unique_key is not null and status_code in ('pending', 'in-progress')
      ) as t on t.id = k.task_id and t.unique_key = k.key
      where t.id is null or k.key is null`,
  };
}

/** Fails with the ids that break an invariant of the engine in a schema. */
export async function expectInvariants(
  pool: pg.Pool,
  schema: string,
  exceptions: InvariantExceptions = {},
): Promise<void> {
  const broken: Record<string, string[]> = {};
  const client = await pool.connect();
  let isUsable = false;
  try {
    // Tables that grew since they were analyzed would be joined row by row.
    await client.query('begin read only; set local enable_nestloop = off');
    for (const [invariant, query] of Object.entries(queries(schema, exceptions))) {
      const { rows } = await client.query<[string]>({ text: query, rowMode: 'array' });
      if (rows.length > 0) broken[invariant] = rows.slice(0, 10).map(([id]) => id);
    }
    await client.query('commit');
    isUsable = true;
  } finally {
    client.release(!isUsable);
  }
  expect(broken).toEqual({});
}
