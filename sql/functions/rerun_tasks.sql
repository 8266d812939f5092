-- rerun_tasks: makes ended tasks pending again, with all their tries; with p_downstream also all
-- that they signal, transitively, whatever their state. p_start_after keeps the tasks named back
-- until then.
--
-- A task that runs again takes back the signals it has given to tasks that are still pending, or
-- were cancelled: they wait for it once more. Tasks that have begun keep what they got. Returns how
-- many tasks were reset.
--
-- A task that runs again takes its unique key again; the attempts that failed before are kept.
--
-- Locks: the tasks, and those that they signal, in id order; rows of ready; keys of unique_key;
-- limits, last. A return that holds one of the tasks can deadlock with it: call it again on
-- SQLSTATE 40P01.
-- Raises: SB006 another task has taken a unique key since.
create or replace function signalbox.rerun_tasks(
  p_ids text[],
  p_downstream boolean default false,
  p_start_after timestamptz default null,
  p_now timestamptz default null
) returns integer language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
  v_ids text[];
  v_targets text[] := signalbox.signalled_by(p_ids, p_downstream);
  v_waiting text[];
  v_limit_keys text[];
  v_holders uuid[];
begin
  perform 1 from signalbox.task t
  where t.id = any (p_ids || v_targets)
  order by t.id
  for no key update;

  select array_agg(t.id) into v_ids
  from signalbox.task t
  where t.id = any (p_ids) and t.status_code >= 'completed';
  if p_downstream and v_ids is not null then
    v_ids := signalbox.downstream(v_ids);
  end if;
  if v_ids is null then
    return 0;
  end if;

  -- Tasks that were reset and pending ones that get a signal less leave ready; those that then have
  -- all their signals come back below.
  v_targets := signalbox.signalled_by(v_ids, false);
  perform signalbox.give_signals_to(v_targets, v_now);
  select array_agg(t.id) into v_waiting
  from signalbox.task t
  where t.id = any (v_ids || v_targets) and (t.status_code = 'pending' or t.id = any (v_ids));
  perform signalbox.leave_ready(v_waiting);
  select array_agg(s.key), array_agg(s.holder) into v_limit_keys, v_holders
  from signalbox.slots_of(v_ids) as s;
  update signalbox.task t
  set status_code = 'pending', performance_token = null, action_deadline = null, holder = null
  where t.id = any (v_ids) and t.status_code = 'in-progress';
  perform signalbox.take_back_signals(v_ids);

  update signalbox.task t
  set status_code = 'pending', status = null, result = null, num_tries = 0, actor_id = null,
    started_at = null, finished_at = null, updated_at = v_now,
    watchers = case when t.status_code < 'completed' then t.watchers end,
    due_at = nullif(greatest(v_now, coalesce(
      case when t.id = any (p_ids) then p_start_after end, t.start_after)), v_now)
  where t.id = any (v_ids);
  update signalbox.task t set seq = nextval('signalbox.ready_seq')
  where t.id = any (v_waiting) and t.num_signals = t.total_dependencies;

  perform signalbox.take_unique_keys(v_ids, null, v_now);
  if signalbox.enqueue(v_waiting, v_now) then
    perform signalbox.settle_tasks(v_now);
  end if;
  if v_limit_keys is not null then
    perform signalbox.release_slots(v_limit_keys, v_holders, v_now);
  end if;
  return (select count(*) from signalbox.task t where t.id = any (v_ids));
end
$$;

-- The direct targets of p_ids, or all downstream of them.
create or replace function signalbox.signalled_by(
  p_ids text[], p_transitively boolean
) returns text[] language plpgsql as $$
begin
  if p_transitively then
    return signalbox.downstream(p_ids);
  end if;
  return array(
    select distinct s.target
    from signalbox.task t cross join unnest(t.to_signal_after) as s (target)
    where t.id = any (p_ids));
end
$$;

-- Undoes, for pending and cancelled targets and for targets that are themselves in p_ids, the
-- signals that the ended tasks among p_ids gave.
create or replace function signalbox.take_back_signals(
  p_ids text[]
) returns void language plpgsql as $$
begin
  with signal as (
    select s.target collate "C" as target, count(*) as signals,
      count(*) filter (where t.status_code in ('aborted', 'cancelled')) as failures,
      count(*) filter (where t.status_code = 'skipped') as skipped
    from signalbox.task t cross join unnest(t.to_signal_after) as s (target)
    where t.id = any (p_ids) and t.status_code >= 'completed'
    group by s.target
  )
  update signalbox.task t
  set num_signals = greatest(t.num_signals - s.signals, 0),
    num_failures = least(greatest(t.num_failures - s.failures, 0),
      greatest(t.num_signals - s.signals, 0)),
    num_skipped = least(greatest(t.num_skipped - s.skipped, 0), greatest(
      greatest(t.num_signals - s.signals, 0) - greatest(t.num_failures - s.failures, 0), 0))
  from signal s
  where signalbox.found_by(t.id, s.target)
    and (t.status_code in ('pending', 'cancelled') or t.id = any (p_ids));
end
$$;
