-- sleep_on_lanes: an idle worker leaves word that it wants to be woken.
--
-- Until p_until, whoever makes a task ready in one of the lanes (p_queues[i], p_actions[i]) sends "ready"
-- on p_channel, once: the word is gone then. One who read the word's absence and commits later is missed, which
-- costs at most the time until p_until; so sleep no longer than that.
--
-- is_standing: its word has been there for each of the lanes, and nobody has taken it; ready_at is then what
-- next_ready_at says. Else commit, then ask next_ready_at: what became ready before the word could be seen
-- shows there, and not yet here.
--
-- Locks: the worker's own rows of sleeper, in the order of their lanes.
create or replace function signalbox.sleep_on_lanes(
  p_channel text,
  p_queues text[],
  p_actions text[],
  p_until timestamptz
) returns table (is_standing boolean, ready_at timestamptz) language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan as $$
declare
  v_num_left integer;
  v_num_lanes integer;
begin
  -- Waits for one who is taking the word: it is gone then.
  perform from signalbox.sleeper s
  where s.channel = p_channel
    and (s.queue, s.action) in (select * from unnest(p_queues, p_actions))
  order by s.queue, s.action
  for update;
  get diagnostics v_num_left = row_count;

  insert into signalbox.sleeper (channel, queue, action, until)
  select p_channel, l.queue, l.action, p_until
  from (select distinct u.queue, u.action from unnest(p_queues, p_actions) as u (queue, action)) as l
  order by l.queue, l.action
  on conflict (queue, action, channel) do update set until = excluded.until;
  get diagnostics v_num_lanes = row_count;

  is_standing := v_num_left = v_num_lanes;
  if is_standing then
    ready_at := signalbox.next_ready_at(p_queues, p_actions);
  end if;
  return next;
end
$$;

-- Takes the word back: a worker that looks by itself, or stops, must not be woken in another's place.
--
-- Locks: the worker's own rows of sleeper.
create or replace function signalbox.leave_lanes(
  p_channel text,
  p_queues text[],
  p_actions text[]
) returns void language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan as $$
begin
  delete from signalbox.sleeper s
  using unnest(p_queues, p_actions) as l (queue, action)
  where s.queue = l.queue and s.action = l.action and s.channel = p_channel;
end
$$;

-- When there is next something to own in one of the lanes, as far as is known: p_now if something is ready
-- there or in the engine's lane, a timer is due, or signals are on their way; else the time of the next timer, or
-- when a lane opens that waits for its limit; null if there is none. Paused lanes do not count.
create or replace function signalbox.next_ready_at(
  p_queues text[],
  p_actions text[],
  p_now timestamptz default null
) returns timestamptz language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
  v_lanes signalbox.claim_lane[] := signalbox.given_lanes(p_queues, p_actions, null, null);
  v_opens_at timestamptz;
  v_due timestamptz;
begin
  if exists (select from signalbox.outgoing_signal) then
    return v_now;
  end if;
  -- Here and below not exists, which may become a join that does not look up the lane.
  if exists (
    select from unnest(v_lanes || ('', '', '', null, null, null, null)::signalbox.claim_lane) as l
    where (
      select true from signalbox.ready r
      where r.lane = signalbox.lane_hash(l.queue, l.action, '')
        and r.queue = l.queue and r.action = l.action and r.key = '' limit 1)
  ) then
    return v_now;
  end if;

  select min(k.opens_at) into v_opens_at
  from unnest(v_lanes) as l
  cross join lateral (
    (select v_now as opens_at from signalbox.keyed_lane o
      where o.queue = l.queue and o.action = l.action and o.closed_until is null and (
        select true from signalbox.ready r
        where r.lane = signalbox.lane_hash(o.queue, o.action, o.key)
          and r.queue = o.queue and r.action = o.action and r.key = o.key limit 1)
      order by o.turn limit 1)
    union all
    (select o.closed_until from signalbox.keyed_lane o
      where o.queue = l.queue and o.action = l.action and o.closed_until > '-infinity' and (
        select true from signalbox.ready r
        where r.lane = signalbox.lane_hash(o.queue, o.action, o.key)
          and r.queue = o.queue and r.action = o.action and r.key = o.key limit 1)
      order by o.closed_until limit 1)
  ) as k;
  select r.due into v_due from signalbox.timer r order by r.due limit 1;
  return case when coalesce(v_opens_at, v_due) is not null
    then greatest(v_now, least(v_opens_at, v_due)) end;
end
$$;

-- What follows when lanes have just got tasks: those with a key are listed, and sleepers are woken. No
-- lanes: nothing.
--
-- Locks: see list_keyed_lanes and wake_sleepers; neither waits.
create or replace function signalbox.announce_ready(
  p_lanes signalbox.lane_count[], p_now timestamptz
) returns void language plpgsql as $$
begin
  if p_lanes is null then
    return;
  end if;
  if exists (select from unnest(p_lanes) as l where l.key <> '') then
    perform signalbox.list_keyed_lanes(p_lanes);
  end if;
  perform signalbox.wake_sleepers(p_lanes, p_now);
end
$$;

-- Wakes sleepers on lanes, at most as many on each as it got tasks, and forgets those whose time is up.
-- Nobody asleep, or no lanes: one look at an empty table at most.
--
-- Locks: rows of sleeper, skipping locked ones.
create or replace function signalbox.wake_sleepers(
  p_lanes signalbox.lane_count[], p_now timestamptz
) returns void language plpgsql as $$
begin
  if p_lanes is null or not exists (select from signalbox.sleeper) then
    return;
  end if;

  delete from signalbox.sleeper s
  where s.ctid = any (array(
    select o.ctid from signalbox.sleeper o where o.until < p_now for update skip locked));

  perform pg_notify(w.channel, 'ready')
  from signalbox.take_sleepers(p_lanes) as w (channel);
end
$$;

-- Wakes up to p_count sleepers, whatever they sleep on.
--
-- Locks: rows of sleeper, skipping locked ones.
create or replace function signalbox.wake_any(
  p_count bigint, p_now timestamptz
) returns void language plpgsql as $$
declare
  v_channels text[];
begin
  with woken as (
    delete from signalbox.sleeper s
    where s.ctid = any (array(
      select o.ctid from signalbox.sleeper o
      where o.until >= p_now limit p_count for update skip locked))
    returning s.channel
  )
  select array_agg(distinct w.channel) into v_channels from woken w;
  perform pg_notify(c.channel, 'ready') from unnest(v_channels) as c (channel);
end
$$;

-- Takes the sleepers to wake out of the table, and returns the channel of each process once.
create or replace function signalbox.take_sleepers(
  p_lanes signalbox.lane_count[]
) returns setof text language plpgsql as $$
begin
  return query
  with woken as (
    delete from signalbox.sleeper s
    where s.ctid = any (array(
      select c.ctid
      from unnest(p_lanes) as l
      cross join lateral (
        select o.ctid from signalbox.sleeper o
        where o.queue = l.queue and o.action = l.action
        limit l.count
        for update skip locked
      ) as c))
    returning s.channel
  )
  select distinct w.channel from woken w;
end
$$;
