-- list_tasks: a page of tasks in the order of their ids: from p_from on, after p_after, before
-- p_end, and fitting the other conditions; null: any. No index knows a column that moves: it reads
-- the range of ids until the page is full. Locks nothing.
create or replace function signalbox.list_tasks(
  p_from text,
  p_after text,
  p_end text,
  p_limit integer,
  p_actions text[] default null,
  p_queues text[] default null,
  p_codes signalbox.status_code[] default null,
  p_updated_since timestamptz default null,
  p_updated_before timestamptz default null,
  p_ended_before timestamptz default null
) returns setof signalbox.task language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set plan_cache_mode = force_custom_plan as $$
begin
  -- A plan for any p_end makes no range of "p_end is null or": it would read on to the end of the
  -- index.
  return query
  select t.*
  from signalbox.task t
  where t.id >= p_from and t.id > p_after and (p_end is null or t.id < p_end)
    and (p_actions is null or t.action = any (p_actions))
    and (p_queues is null or t.queue = any (p_queues))
    and (p_codes is null or t.status_code = any (p_codes))
    and (p_updated_since is null or t.updated_at >= p_updated_since)
    and (p_updated_before is null or t.updated_at < p_updated_before)
    and (p_ended_before is null or t.finished_at < p_ended_before)
  order by t.id
  limit p_limit;
end
$$;

-- The tasks with these ids, in no order. Locks nothing.
create or replace function signalbox.get_tasks(
  p_ids text[]
) returns setof signalbox.task language plpgsql
set jit = off set enable_seqscan = off as $$
begin
  return query select t.* from signalbox.task t where t.id = any (p_ids);
end
$$;
