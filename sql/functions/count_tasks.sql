-- count_tasks: how many tasks there are by queue, action and status, whose ids are from p_from on and before
-- p_end, and that fit the other conditions; null: any. Reads every task of the range; locks nothing.
create or replace function signalbox.count_tasks(
  p_from text,
  p_end text,
  p_actions text[] default null,
  p_queues text[] default null,
  p_codes signalbox.status_code[] default null
) returns table (queue text, action text, status_code signalbox.status_code, count bigint)
language plpgsql
set jit = off set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
begin
  return query
  select t.queue, t.action, t.status_code, count(*)
  from signalbox.task t
  where t.id >= p_from and (p_end is null or t.id < p_end)
    and (p_actions is null or t.action = any (p_actions))
    and (p_queues is null or t.queue = any (p_queues))
    and (p_codes is null or t.status_code = any (p_codes))
  group by t.queue, t.action, t.status_code;
end
$$;
