-- extend_task_deadlines: moves the deadlines of owned tasks to now + p_max_duration; null: they never
-- lapse. Returns the ids whose token held.
--
-- Locks: the tasks, in id order.
create or replace function signalbox.extend_task_deadlines(
  p_ids text[],
  p_tokens uuid[],
  p_max_duration interval,
  p_now timestamptz default null
) returns setof text language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, clock_timestamp());
  v_deadline timestamptz := v_now + p_max_duration;
begin
  return query
  with held as materialized (
    select t.id, t.action_deadline
    from unnest(p_ids, p_tokens) as g (id, token) join signalbox.task t on t.id = g.id
    where t.performance_token = g.token
    order by t.id
    for no key update of t
  ), extended as (
    update signalbox.task t set action_deadline = v_deadline
    from held h
    where t.id = h.id
    returning t.id
  ), leased as (
    -- The timer of the ownership is at or before its old deadline; only an earlier one needs its own.
    insert into signalbox.timer (due, kind, ids)
    select signalbox.lease_check(v_deadline, v_now), 'lease', array_agg(h.id)
    from held h
    where h.action_deadline is null or v_deadline < h.action_deadline
    having count(*) > 0 and v_deadline is not null
  )
  select e.id from extended e;
end
$$;
