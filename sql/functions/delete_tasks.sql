-- delete_tasks: deletes tasks in any state and, recursively, tasks still waiting that are left without
-- dependencies. A task that has ended gave its signal, so deleting it leaves its targets alone; one that
-- has not will never signal, so its waiting targets expect a signal less. A task that has begun, or could
-- begin, is deleted only when named. Owners of deleted tasks learn of it when they extend or return;
-- waiters are told. Returns how many it deleted.
--
-- Locks: the tasks of each generation, then their waiting targets, both in id order; rows of ready. It can
-- deadlock with a return: call it again on SQLSTATE 40P01.
create or replace function signalbox.delete_tasks(
  p_ids text[],
  p_spares_owned boolean default false
) returns integer language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_ids text[] := p_ids;
  v_unfinished text[];
  v_orphans text[];
  v_num_deleted integer;
  v_total integer := 0;
begin
  while cardinality(v_ids) > 0 loop
    perform 1 from signalbox.task t where t.id = any (v_ids) order by t.id for no key update;
    select array_agg(t.id) into v_unfinished
    from signalbox.task t
    where t.id = any (v_ids) and t.status_code < 'completed';

    perform signalbox.leave_ready(v_unfinished);
    v_orphans := signalbox.drop_dependencies(v_unfinished, v_ids);
    perform signalbox.announce_ended(v_unfinished);
    delete from signalbox.task t where t.id = any (v_ids);
    get diagnostics v_num_deleted = row_count;

    v_total := v_total + v_num_deleted;
    v_ids := v_orphans;
  end loop;
  return v_total;
end
$$;

-- Lowers the totals of what p_ids would have signalled, as if those edges had never been, except for
-- p_except. Returns the pending tasks that this leaves with nothing to wait for.
create or replace function signalbox.drop_dependencies(
  p_ids text[], p_except text[]
) returns text[] language plpgsql as $$
declare
  v_orphans text[];
begin
  with edge as (
    select s.target collate "C" as target, count(*) as count
    from signalbox.task t cross join unnest(t.to_signal_after) as s (target)
    where t.id = any (p_ids)
    group by s.target
  ), waiting as materialized (
    select t.id, e.count
    from edge e join signalbox.task t on t.id = e.target
    where t.num_signals < t.total_dependencies and not t.id = any (p_except)
    order by t.id
    for no key update of t
  ), lowered as (
    update signalbox.task t
    set total_dependencies = greatest(t.total_dependencies - w.count, t.num_signals)
    from waiting w
    where t.id = w.id
    returning t.id, t.status_code = 'pending' and t.num_signals = t.total_dependencies as is_orphan
  )
  select array_agg(l.id) into v_orphans from lowered l where l.is_orphan;
  return v_orphans;
end
$$;
