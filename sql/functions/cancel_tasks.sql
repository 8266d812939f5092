-- cancel_tasks: ends pending and in-progress tasks as cancelled, with p_status as their status;
-- with p_downstream also all that they would have signalled, transitively. Their owners learn of it
-- when they extend or return. Every target gets a signal with a failure. Returns how many it
-- cancelled.
--
-- Locks: the tasks, in id order; their rows of ready; their targets, in id order; limits, last. A
-- return that holds one of the targets can deadlock with it: call it again on SQLSTATE 40P01.
create or replace function signalbox.cancel_tasks(
  p_ids text[],
  p_status text default null,
  p_downstream boolean default false,
  p_now timestamptz default null
) returns integer language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
  v_ids text[] := p_ids;
  v_targets text[];
  v_ended signalbox.status_code[];
  v_announced text[];
  v_limit_keys text[];
  v_holders uuid[];
begin
  if p_downstream then
    v_ids := signalbox.downstream(p_ids);
  end if;
  select array_agg(c.id) into v_ids
  from (
    select t.id from signalbox.task t
    where t.id = any (v_ids) and t.status_code < 'completed'
    order by t.id
    for no key update
  ) as c;
  if v_ids is null then
    return 0;
  end if;
  perform signalbox.leave_ready(v_ids);
  select array_agg(s.key), array_agg(s.holder) into v_limit_keys, v_holders
  from signalbox.slots_of(v_ids) as s;

  with cancelled as (
    update signalbox.task t
    set status_code = 'cancelled', status = p_status,
      result = signalbox.without_progress(t.result), performance_token = null,
      action_deadline = null, holder = null, due_at = null, finished_at = v_now, updated_at = v_now
    where t.id = any (v_ids)
    returning t.id, t.to_signal_after, t.watchers is not null
      or t.notify_channel_after is not null or t.unique_key is not null as is_announced
  ), signal as (
    select s.target from cancelled c cross join unnest(c.to_signal_after) as s (target)
  )
  select array_agg(c.id) filter (where c.is_announced),
    (select array_agg(s.target) from signal s),
    (select array_agg('cancelled'::signalbox.status_code) from signal s)
  into v_announced, v_targets, v_ended
  from cancelled c;

  perform signalbox.after_end(v_targets, v_ended, v_announced, v_now);
  if v_limit_keys is not null then
    perform signalbox.release_slots(v_limit_keys, v_holders, v_now);
  end if;
  return cardinality(v_ids);
end
$$;

-- p_ids and all that they signal, transitively.
create or replace function signalbox.downstream(
  p_ids text[]
) returns text[] language plpgsql as $$
declare
  v_all text[];
begin
  with recursive reached (id) as (
    select g.id collate "C" from unnest(p_ids) as g (id)
    union
    select s.target collate "C"
    from reached r
    join signalbox.task t on signalbox.found_by(t.id, r.id)
    cross join unnest(t.to_signal_after) as s (target)
  )
  select array_agg(r.id) into v_all from reached r;
  return v_all;
end
$$;

-- Takes tasks out of ready, whichever lane they are in. The caller holds their row locks.
create or replace function signalbox.leave_ready(
  p_ids text[]
) returns void language plpgsql as $$
begin
  delete from signalbox.ready r
  where r.ctid = any (array(select p.place from signalbox.places_of(p_ids) as p (place)));
end
$$;

-- Where the rows of ready of pending tasks are. One lookup by the whole key for each of the two
-- lanes that a task may be in: an "or" of both would read the whole index, and without the limit
-- the planner may look up the lane alone, and read all of it for each task.
create or replace function signalbox.places_of(
  p_ids text[]
) returns setof tid language plpgsql stable as $$
begin
  return query
  select r.place
  from signalbox.task t
  cross join lateral (values
    (t.queue, t.action, signalbox.lane_key(t.fair_key, t.limit_key)), ('', '', '')
  ) as l (queue, action, key)
  cross join lateral (
    select c.ctid as place from signalbox.ready c
    where c.lane = signalbox.lane_hash(l.queue, l.action, l.key)
      and c.queue = l.queue and c.action = l.action and c.key = l.key
      and c.priority = t.priority and c.seq = t.seq
    limit 1
  ) as r
  where t.id = any (p_ids) and t.status_code = 'pending';
end
$$;
