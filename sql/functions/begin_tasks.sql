-- begin_tasks: says that tasks owned ahead are performed now: from here on a lapse costs them their
-- try. One that has begun before goes on as it is. Returns the ids whose token holds.
--
-- Locks: the tasks, in id order, which is that of the lookups.
create or replace function signalbox.begin_tasks(
  p_ids text[],
  p_tokens uuid[],
  p_now timestamptz default null
) returns setof text language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
begin
  return query
  with given as materialized (
    select * from unnest(p_ids, p_tokens) as g (id, token) order by g.id collate "C"
  )
  update signalbox.task t set started_at = coalesce(t.started_at, v_now), updated_at = v_now
  from given g
  where signalbox.found_by(t.id, g.id) and t.performance_token = g.token
  returning t.id;
end
$$;
