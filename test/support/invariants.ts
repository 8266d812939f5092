import type pg from 'pg';
import { expect } from 'vitest';

/** What a test did that makes an invariant hold only in part. */
export interface InvariantExceptions {
  /** Ended tasks were deleted, or reruns left begun targets alone: signals may outnumber their senders. */
  signalsMayOutnumberSenders?: boolean;
  /** A limit was lowered, or set later, while tasks were in progress: their owners keep the slots they have. */
  limitsWereLowered?: boolean;
  /** The test put tasks in progress, or gave slots back, by hand. */
  slotsAreNotCounted?: boolean;
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
      ), coming as (
        select i.id, o.seq, count(*) as count from ${schema}.outgoing_signal o
        cross join unnest(o.targets) as i (id) group by i.id, o.seq
      )
      select t.id from ${schema}.task t left join signal s on s.id = t.id
      where not t.total_is_given and t.status_code in ('pending', 'cancelled')
        and t.num_signals ${compare} coalesce(s.count, 0) - (
          select coalesce(sum(c.count), 0) from coming c where c.id = t.id and c.seq > t.seq)`,
    'finished_at is set exactly on terminal tasks': `
      select id from ${schema}.task
      where (finished_at is not null) <> (status_code in ('completed', 'aborted', 'skipped', 'cancelled'))`,
    'a unique key that is not released is needed by its task': `
      select k.key from ${schema}.unique_key k left join ${schema}.task t
        on t.id = k.task_id and t.unique_key = k.key
          and (t.status_code = 'pending' or t.status_code = 'in-progress' and not t.unique_until_started)
      where t.id is null and not k.is_released`,
    'an unfinished task holds its unique key, one that gives it up when it starts until it was owned': `
      select t.id from ${schema}.task t left join ${schema}.unique_key k
        on k.key = t.unique_key and k.task_id = t.id and not k.is_released
      where t.unique_key is not null and t.status_code in ('pending', 'in-progress')
        and (not t.unique_until_started or t.actor_id is null) and k.key is null`,
    'a released unique key is kept until some time': `
      select key from ${schema}.unique_key where is_released and kept_until is null`,
    'the attempts that are kept are of tasks that exist, at most 100 each': `
      select a.task_id from ${schema}.attempt a left join ${schema}.task t on t.id = a.task_id
      group by a.task_id having count(*) > 100 or count(t.id) = 0`,
  };
}

/** The same for lanes with a key, and for limits. */
function keyQueries(schema: string, exceptions: InvariantExceptions): Record<string, string> {
  const always = {
    'lane_hash says what the table does': `
      select id from ${schema}.ready where lane <> ${schema}.lane_hash(queue, action, key)`,
    'each row of ready is in the lane of its keys, or in the lane of the engine': `
      select r.id from ${schema}.ready r join ${schema}.task t using (id)
      where r.key <> case when r.action = '' then '' else ${schema}.lane_key(t.fair_key, t.limit_key) end`,
    'every lane with a key that has something ready is listed, with its limit': `
      select distinct r.key from ${schema}.ready r join ${schema}.task t using (id)
      where r.key <> '' and not exists (
        select from ${schema}.keyed_lane k
        where k.queue = r.queue and k.action = r.action and k.key = r.key
          and k.limit_key is not distinct from t.limit_key)`,
  };
  const counted = {
    'a holder has in hand as many tasks of a limit key as it owns': `
      select coalesce(s.key, o.key) from ${schema}.limit_slot s full join (
        select limit_key as key, ${schema}.slot_holder(holder) as holder, count(*) as count
        from ${schema}.task where status_code = 'in-progress' and limit_key is not null group by 1, 2
      ) as o on o.key = s.key and o.holder = s.holder
      where s.in_hand is distinct from o.count`,
  };
  const granted = {
    'all slots of a limit key together are no more than its limit': `
      select k.key from ${schema}.limit_key k join ${schema}.limit_slot s on s.key = k.key
      group by k.key having sum(s.slots) > k.max_in_progress`,
  };
  return {
    ...always,
    ...(exceptions.slotsAreNotCounted ? {} : counted),
    ...(exceptions.limitsWereLowered ? {} : granted),
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
    const all = { ...queries(schema, exceptions), ...keyQueries(schema, exceptions) };
    for (const [invariant, query] of Object.entries(all)) {
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
