-- set_limits: sets the limits of keys: element i of each array is about p_keys[i], a key at most once.
-- Null: no such limit. Takes hold at the next claim; what is in progress goes on. Lanes that waited for a
-- limit open.
--
-- Locks: the keys whose limits change, in their order, which waits for claims of theirs to end; rows of
-- keyed_lane and sleeper, skipping locked ones.
create or replace function signalbox.set_limits(
  p_keys text[],
  p_max_in_progress integer[],
  p_rate_counts integer[],
  p_rate_intervals interval[],
  p_now timestamptz default null
) returns void language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_changed text[];
begin
  -- Most inserts bring limits that stand already: those rows are not locked.
  with changed as (
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
      rate_count = excluded.rate_count, rate_interval = excluded.rate_interval
    returning k.key
  )
  select array_agg(c.key) into v_changed from changed c;

  if v_changed is not null then
    perform signalbox.reopen_keyed_lanes(v_changed,
      array_fill(1000000::bigint, array[cardinality(v_changed)]),
      coalesce(p_now, signalbox.now()));
  end if;
end
$$;
