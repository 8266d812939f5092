-- list_run_parts: a run and all tasks below it, in no order, without their bodies and results. The items
-- of a map, <map>/<number> with the action of the map, are counted by state: such a row has the map's
-- id, num_items, when the first began and the last ended. Locks nothing.
create or replace function signalbox.list_run_parts(
  p_run text
) returns table (
  id text, action text, status_code signalbox.status_code, status text,
  started_at timestamptz, finished_at timestamptz, num_items bigint
) language plpgsql
set jit = off set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
begin
  return query
  with parts as materialized (
    select t.id, t.action, t.status_code, t.status, t.started_at, t.finished_at,
      ltrim(split_part(t.id, '/', -1), '0123456789') = ''
        and split_part(t.id, '/', -2) = split_part(t.action, '/', -1) as is_item
    from signalbox.task t
    where t.id >= p_run || '/' and t.id < p_run || '0'
    union all
    select t.id, t.action, t.status_code, t.status, t.started_at, t.finished_at, false
    from signalbox.task t
    where t.id = p_run
  )
  select p.id::text, p.action::text, p.status_code, p.status, p.started_at, p.finished_at,
    null::bigint
  from parts p
  where p.is_item is not true
  union all
  select left(p.id, -length(split_part(p.id, '/', -1)) - 1), p.action::text, p.status_code, null,
    min(p.started_at), max(p.finished_at), count(*)
  from parts p
  where p.is_item
  group by 1, 2, 3;
end
$$;
