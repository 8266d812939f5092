-- count_tasks: how many tasks there are, by queue, action and status, of those that list_tasks
-- would give for the same conditions. Reads them all; a table scan is welcome where they are most
-- of it. Locks nothing.
create or replace function signalbox.count_tasks(
  p_from text,
  p_end text,
  p_actions text[] default null,
  p_queues text[] default null,
  p_codes signalbox.status_code[] default null,
  p_updated_since timestamptz default null,
  p_updated_before timestamptz default null,
  p_ended_before timestamptz default null
) returns table (
  queue text, action text, status_code signalbox.status_code, count bigint
) language plpgsql
set jit = off set plan_cache_mode = force_custom_plan as $$
begin
  return query
  select t.queue::text, t.action::text, t.status_code, count(*)
  from signalbox.task t
  where t.id >= p_from and (p_end is null or t.id < p_end)
    and (p_actions is null or t.action = any (p_actions))
    and (p_queues is null or t.queue = any (p_queues))
    and (p_codes is null or t.status_code = any (p_codes))
    and (p_updated_since is null or t.updated_at >= p_updated_since)
    and (p_updated_before is null or t.updated_at < p_updated_before)
    and (p_ended_before is null or t.finished_at < p_ended_before)
  group by t.queue, t.action, t.status_code
  order by t.queue, t.action, t.status_code;
end
$$;
