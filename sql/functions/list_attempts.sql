-- list_attempts: the tries of a task that failed, the oldest first. Locks nothing.
create or replace function signalbox.list_attempts(
  p_task_id text
) returns setof signalbox.attempt language plpgsql
set jit = off set enable_seqscan = off as $$
begin
  return query
  select a.* from signalbox.attempt a where a.task_id = p_task_id order by a.number;
end
$$;
