-- Private helpers of every verb that ends tasks or makes them ready.

-- p_column = p_value, so that the planner can only look the values up in an index, one by one, in their order. With
-- statistics of a table that was empty, or held none but rows of a transaction under way, it takes the table for one
-- row, and reads all of it for each value: hours for an insert of 400,000 tasks. Sort by the values, not by the
-- column: for that order it would walk the index. It needs sequential scans off; where they are on, look up with limit 1.
create or replace function signalbox.found_by(
  p_column text, p_value text
) returns boolean language sql immutable as $$
  select p_column between p_value and p_value
$$;

-- Whether a task runs, once all its dependencies have signalled, or is skipped.
-- A skipped dependency is neither a success nor a failure.
create or replace function signalbox.may_run(
  p_run_when signalbox.run_when, p_signals integer, p_failures integer, p_skipped integer
) returns boolean language sql immutable as $$
  select case p_run_when
    when 'all_done' then true
    when 'all_succeeded' then p_failures = 0 and p_skipped = 0
    when 'any_failed' then p_failures > 0
    when 'any_succeeded' then p_signals > p_failures + p_skipped
  end
$$;

-- Gives signals: element i of the arrays says that a task ended with status p_ended[i] and lists
-- p_targets[i]. A target may occur many times; it is updated once. Targets that do not exist or no
-- longer wait are passed over; one cancelled while it waited goes on counting, so that it can be
-- run again. Those that have all their signals go to their lane, to the engine's lane (milestones,
-- and tasks that run_when skips), or to a timer. p_before: see give_signals. Returns whether the engine's lane
-- got something.
--
-- Locks: the waiting targets, in id order. A caller that holds other task locks took them on tasks
-- that wait for no signal, so no two sessions can wait for each other.
--
-- The order comes from the plan: the update can only look up the sorted ids one by one (see found_by). A select for
-- update before it would promise the order, and was measured at 9 % more server time on diamonds
-- (with the same in return_tasks, 22 %). Were a plan ever to break the order, a deadlock would be
-- detected and the client would repeat. Merging the ids with a walk of the primary key to them alone, as
-- give_back does, took layered tasks 22 % longer, and diamonds 4 % less.
create or replace function signalbox.signal_targets(
  p_targets text[], p_ended signalbox.status_code[], p_now timestamptz,
  p_before bigint default null
) returns boolean language plpgsql
set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_lanes signalbox.lane_count[];
begin
  with signalled as (
    -- A total that was given may be smaller than the number of signals: what is too much is
    -- dropped.
    update signalbox.task t
    set num_signals = least(t.num_signals + s.signals, t.total_dependencies),
      num_failures = t.num_failures + least(s.failures, t.total_dependencies - t.num_signals),
      num_skipped = t.num_skipped
        + least(s.skipped, greatest(t.total_dependencies - t.num_signals - s.failures, 0)),
      due_at = case
        when t.num_signals + s.signals < t.total_dependencies or t.due_at > p_now then t.due_at
      end,
      seq = case
        when t.num_signals + s.signals < t.total_dependencies then t.seq
        else nextval('signalbox.ready_seq')
      end
    from (
      select g.target, count(*)::integer as signals,
        (count(*) filter (where g.ended in ('aborted', 'cancelled')))::integer as failures,
        (count(*) filter (where g.ended = 'skipped'))::integer as skipped
      from (select unnest(p_targets) as target, unnest(p_ended) as ended) as g
      group by g.target
      order by g.target collate "C"
    ) as s
    where signalbox.found_by(t.id, s.target) and t.num_signals < t.total_dependencies
      and (p_before is null or t.seq < p_before)
    returning t.id, t.queue, t.action, t.priority, t.seq, t.due_at, t.fair_key, t.limit_key,
      t.status_code = 'pending' and t.num_signals = t.total_dependencies as is_complete,
      t.action is not null and signalbox.may_run(t.run_when, t.num_signals, t.num_failures,
        t.num_skipped) as is_for_actor
  ), queued as (
    insert into signalbox.ready (queue, action, key, priority, seq, id)
    select case when s.is_for_actor then s.queue else '' end,
      case when s.is_for_actor then s.action else '' end,
      case when s.is_for_actor then signalbox.lane_key(s.fair_key, s.limit_key) else '' end,
      s.priority, s.seq, s.id
    from signalled s
    where s.is_complete and s.due_at is null
    returning queue, action, key
  ), delayed as (
    insert into signalbox.timer (due, kind, ids)
    select s.due_at, 'start', array_agg(s.id)
    from signalled s
    where s.is_complete and s.due_at is not null
    group by s.due_at
  )
  select array_agg(l) into v_lanes
  from (
    select q.queue, q.action, q.key, count(*) from queued q group by q.queue, q.action, q.key
  ) as l;
  return signalbox.after_ready(v_lanes, p_now);
end
$$;

-- Puts pending tasks that have all their signals into their lane, the engine's lane or a timer.
-- Others among p_ids are passed over. The caller holds their row locks, or inserted them itself.
-- Returns whether the engine's lane got something.
create or replace function signalbox.enqueue(
  p_ids text[], p_now timestamptz
) returns boolean language plpgsql as $$
declare
  v_lanes signalbox.lane_count[];
begin
  with startable as materialized (
    select t.id, t.queue, t.priority, t.seq, t.due_at, t.fair_key, t.limit_key, case
        when t.action is not null
          and signalbox.may_run(t.run_when, t.num_signals, t.num_failures, t.num_skipped)
        then t.action else '' end as lane_action
    from signalbox.task t
    where t.id = any (p_ids) and t.status_code = 'pending'
      and t.num_signals = t.total_dependencies
  ), queued as (
    insert into signalbox.ready (queue, action, key, priority, seq, id)
    select case when s.lane_action = '' then '' else s.queue end, s.lane_action,
      case when s.lane_action = '' then '' else signalbox.lane_key(s.fair_key, s.limit_key) end,
      s.priority, s.seq, s.id
    from startable s
    where s.due_at is null or s.due_at <= p_now
    returning queue, action, key
  ), no_longer_due as (
    update signalbox.task t set due_at = null
    where t.id = any (array(select s.id from startable s where s.due_at <= p_now))
  ), delayed as (
    -- At most 500 ids a row, so that promoting one is bounded work.
    insert into signalbox.timer (due, kind, ids)
    select d.due_at, 'start', array_agg(d.id)
    from (
      select s.due_at, s.id, row_number() over (partition by s.due_at order by s.id) as n
      from startable s
      where s.due_at > p_now
    ) as d
    group by d.due_at, d.n / 500
  )
  select array_agg(l) into v_lanes
  from (
    select q.queue, q.action, q.key, count(*) from queued q group by q.queue, q.action, q.key
  ) as l;
  return signalbox.after_ready(v_lanes, p_now);
end
$$;

-- What follows when lanes have just got tasks: sleepers are woken. Returns whether the engine's
-- lane is one.
create or replace function signalbox.after_ready(
  p_lanes signalbox.lane_count[], p_now timestamptz
) returns boolean language plpgsql as $$
begin
  perform signalbox.announce_ready(p_lanes, p_now);
  return exists (select from unnest(p_lanes) as l where l.action = '');
end
$$;

-- What follows when tasks have ended: their targets get their signals (see signal_targets; many: give_signals),
-- the engine's lane is settled if one of those went there, and the tasks in p_announced are announced.
create or replace function signalbox.after_end(
  p_targets text[], p_ended signalbox.status_code[], p_announced text[], p_now timestamptz
) returns void language plpgsql as $$
begin
  if signalbox.are_many(p_targets) then
    perform signalbox.leave_signals(p_targets, p_ended, p_now);
  elsif p_targets is not null and signalbox.signal_targets(p_targets, p_ended, p_now) then
    perform signalbox.settle_tasks(p_now);
  end if;
  if p_announced is not null then
    perform signalbox.announce_ended(p_announced, p_now);
  end if;
end
$$;

-- Tells the world that tasks have ended or been deleted: frees their unique keys, notifies their
-- watchers (one notification a channel with as many ids as fit its 8,000 bytes) and the channels
-- that they name. Reads p_ids again: called only when one of them has any of these.
create or replace function signalbox.announce_ended(
  p_ids text[], p_now timestamptz
) returns void language plpgsql as $$
declare
  v_ended record;
  v_channel text := null;
  v_payload text := '';
begin
  perform signalbox.free_unique_keys(p_ids, p_now);

  for v_ended in
    select w.channel, to_json(t.id)::text as id
    from signalbox.task t cross join unnest(t.watchers) as w (channel)
    where t.id = any (p_ids)
    order by w.channel
  loop
    if v_channel is distinct from v_ended.channel
      or octet_length(v_payload) + octet_length(v_ended.id) > 7900
    then
      if v_payload <> '' then
        perform pg_notify(v_channel, '[' || v_payload || ']');
      end if;
      v_channel := v_ended.channel;
      v_payload := '';
    end if;
    -- An id too long for any notification: an empty list makes the listener ask for all it awaits.
    if octet_length(v_ended.id) > 7900 then
      perform pg_notify(v_channel, '[]');
    else
      v_payload := concat_ws(',', nullif(v_payload, ''), v_ended.id);
    end if;
  end loop;
  if v_payload <> '' then
    perform pg_notify(v_channel, '[' || v_payload || ']');
  end if;

  -- The most that fits a notification: JSON makes up to 6 bytes of one, even an id may be too long.
  perform pg_notify(t.notify_channel_after, (
    select p.payload
    from (values
      (1, json_build_object('id', t.id, 'statusCode', t.status_code,
        'status', left(t.status, 1000))::text),
      (2, json_build_object('id', t.id, 'statusCode', t.status_code, 'status', null)::text),
      (3, json_build_object('id', null, 'statusCode', t.status_code, 'status', null)::text)
    ) as p (preference, payload)
    where octet_length(p.payload) <= 7900
    order by p.preference limit 1))
  from signalbox.task t
  where t.id = any (p_ids) and t.notify_channel_after is not null
    and t.status_code >= 'completed';
end
$$;
