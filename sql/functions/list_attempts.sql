-- list_attempts: the tries of a task that failed, the oldest first; at most the last 100 are kept.
-- Locks nothing.
create or replace function signalbox.list_attempts(
  p_task_id text
) returns setof signalbox.attempt language plpgsql
set jit = off set enable_seqscan = off as $$
begin
  return query
  select a.* from signalbox.attempt a where a.task_id = p_task_id order by a.number;
end
$$;

-- Keeps the tries of tasks that have just failed: p_failed, whose rows, locked by the caller, tell
-- what has become of them. Element i of the other arrays is about task p_ids[i]: what it was
-- returned as (null: it lapsed), and the error. Of each task the last 100 stay.
create or replace function signalbox.keep_attempts(
  p_failed text[], p_ids text[], p_codes signalbox.status_code[], p_errors text[],
  p_now timestamptz
) returns void language plpgsql as $$
begin
  insert into signalbox.attempt (task_id, num_try, actor_id, started_at, ended_at, outcome, status,
    error)
  select t.id, t.num_tries, t.actor_id, t.started_at, p_now, case g.code
      when 'aborted' then 'aborted' when 'pending' then 'failed'
      else 'lapsed'::signalbox.attempt_outcome end,
    t.status, left(g.error, 16384)
  from unnest(p_ids, p_codes, p_errors) as g (id, code, error)
  join signalbox.task t on signalbox.found_by(t.id, g.id)
  where g.id = any (p_failed);

  delete from signalbox.attempt a
  using (
    select f.id, (
      select k.number from signalbox.attempt k
      where k.task_id = f.id
      order by k.number desc offset 99 limit 1) as oldest_kept
    from unnest(p_failed) as f (id)
  ) as f
  where signalbox.found_by(a.task_id, f.id) and a.number < f.oldest_kept;
end
$$;
