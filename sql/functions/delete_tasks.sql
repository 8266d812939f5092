-- delete_tasks: deletes tasks in any state and, recursively, tasks still waiting that are left
-- without dependencies. A task that has ended gave its signal, so deleting it leaves its targets
-- alone; one that has not will never signal, so its waiting targets expect a signal less. A task
-- that has begun, or could begin, is deleted only when named. Owners of deleted tasks learn of it
-- when they extend or return; waiters are told. With p_spares_owned, tasks in progress are passed
-- over. Returns how many it deleted.
--
-- Locks: the tasks of each generation, then their waiting targets, both in id order; rows of ready;
-- limits, last. It can deadlock with a return: call it again on SQLSTATE 40P01.
create or replace function signalbox.delete_tasks(
  p_ids text[],
  p_spares_owned boolean default false,
  p_now timestamptz default null
) returns integer language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
  v_ids text[] := p_ids;
  v_unfinished text[];
  v_orphans text[];
  v_limit_keys text[];
  v_holders uuid[];
  v_total integer := 0;
begin
  loop
    select array_agg(c.id), array_agg(c.id) filter (where c.status_code < 'completed')
    into v_ids, v_unfinished
    from (
      select t.id, t.status_code from signalbox.task t
      where t.id = any (v_ids)
      order by t.id
      for no key update
    ) as c
    where not (p_spares_owned and c.status_code = 'in-progress');
    exit when v_ids is null;

    select v_limit_keys || array_agg(s.key), v_holders || array_agg(s.holder)
    into v_limit_keys, v_holders
    from signalbox.slots_of(v_unfinished) as s;
    perform signalbox.leave_ready(v_unfinished);
    v_orphans := signalbox.drop_dependencies(v_unfinished, v_ids);
    perform signalbox.announce_ended(v_unfinished, v_now);
    perform signalbox.erase(v_ids);

    v_total := v_total + cardinality(v_ids);
    v_ids := v_orphans;
  end loop;

  if v_limit_keys is not null then
    perform signalbox.release_slots(v_limit_keys, v_holders, v_now);
  end if;
  return v_total;
end
$$;

-- Deletes the rows of tasks, which the caller has locked, and of their attempts.
create or replace function signalbox.erase(
  p_ids text[]
) returns void language plpgsql as $$
begin
  delete from signalbox.attempt a where a.task_id = any (p_ids);
  delete from signalbox.task t where t.id = any (p_ids);
end
$$;

-- Lowers the totals of what p_ids would have signalled, as if those edges had never been, except
-- for p_except. Returns the pending tasks that this leaves with nothing to wait for.
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
    from edge e join signalbox.task t on signalbox.found_by(t.id, e.target)
    where t.num_signals < t.total_dependencies and not t.id = any (p_except)
    order by e.target
    for no key update of t
  ), lowered as (
    update signalbox.task t
    set total_dependencies = greatest(t.total_dependencies - w.count, t.num_signals)
    from waiting w
    where signalbox.found_by(t.id, w.id)
    returning t.id, t.status_code = 'pending' and t.num_signals = t.total_dependencies as is_orphan
  )
  select array_agg(l.id) into v_orphans from lowered l where l.is_orphan;
  return v_orphans;
end
$$;
