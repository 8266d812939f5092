-- extend_task_deadlines: moves the deadline of each owned task p_ids[i] to now + p_max_durations[i]; null: it
-- never lapses. Where p_are_asked[i], only asks: its deadline stays as it is, and nothing is written. Returns
-- the ids whose token held.
--
-- Locks: the tasks to extend, in id order.
create or replace function signalbox.extend_task_deadlines(
  p_ids text[],
  p_tokens uuid[],
  p_max_durations interval[],
  p_now timestamptz default null,
  p_are_asked boolean[] default null
) returns setof text language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
begin
  return query
  with given as materialized (
    select *
    from unnest(p_ids, p_tokens, p_max_durations, p_are_asked)
      as u (id, token, max_duration, is_asked)
  ), held as materialized (
    select t.id, t.action_deadline, v_now + g.max_duration as deadline
    from given g join signalbox.task t on signalbox.found_by(t.id, g.id)
    where t.performance_token = g.token and g.is_asked is not true
    order by g.id collate "C"
    for no key update of t
  ), extended as (
    update signalbox.task t set action_deadline = h.deadline
    from held h
    where signalbox.found_by(t.id, h.id)
    returning t.id
  ), leased as (
    -- The timer of the ownership is at or before its old deadline; only an earlier one needs its own.
    insert into signalbox.timer (due, kind, ids)
    select signalbox.lease_check(min(h.deadline), v_now), 'lease', array_agg(h.id)
    from held h
    where h.action_deadline is null or h.deadline < h.action_deadline
    having count(h.deadline) > 0
  )
  select e.id from extended e
  union all
  select t.id
  from given g join signalbox.task t on signalbox.found_by(t.id, g.id)
  where t.performance_token = g.token and g.is_asked;
end
$$;
