-- pause_lanes: nobody owns tasks of a queue, of an action, or of an action in a queue (null: every one)
-- until it is resumed. What is in progress goes on. Paused already: nothing changes.
create or replace function signalbox.pause_lanes(
  p_queue text,
  p_action text,
  p_now timestamptz default null
) returns void language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  insert into signalbox.pause (queue, action, since)
  values (coalesce(p_queue, ''), coalesce(p_action, ''), coalesce(p_now, signalbox.now()))
  on conflict (queue, action) do nothing;
end
$$;

-- Takes back the pause of the same queue and action, and wakes those who sleep on its lanes where something
-- is ready, unless another pause stands. Returns whether there was one.
--
-- Locks: the pause; rows of sleeper, skipping locked ones.
create or replace function signalbox.resume_lanes(
  p_queue text,
  p_action text,
  p_now timestamptz default null
) returns boolean language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_lanes signalbox.lane_count[];
begin
  delete from signalbox.pause p
  where p.queue = coalesce(p_queue, '') and p.action = coalesce(p_action, '');
  if not found then
    return false;
  end if;

  select array_agg((l.queue, l.action, '', l.count)::signalbox.lane_count) into v_lanes
  from (
    select s.queue, s.action, count(*) from signalbox.sleeper s
    where s.queue = coalesce(p_queue, s.queue) and s.action = coalesce(p_action, s.action)
      -- Not exists, which may become a join that does not look up the lane.
      and ((
          select true from signalbox.ready r
          where r.lane = signalbox.lane_hash(s.queue, s.action, '')
            and r.queue = s.queue and r.action = s.action and r.key = '' limit 1)
        or (
          select true from signalbox.keyed_lane k
          where k.queue = s.queue and k.action = s.action and k.closed_until is null limit 1)
        or (
          select true from signalbox.keyed_lane k
          where k.queue = s.queue and k.action = s.action and k.closed_until > '-infinity' limit 1))
      and not exists (
        select from signalbox.pause p
        where p.queue in (s.queue, '') and p.action in (s.action, ''))
    group by s.queue, s.action
  ) as l;
  perform signalbox.wake_sleepers(v_lanes, coalesce(p_now, signalbox.now()));
  return true;
end
$$;

-- What is paused; an empty queue or action stands for every one.
create or replace function signalbox.list_pauses() returns setof signalbox.pause
language plpgsql
set jit = off as $$
begin
  return query
  select p.queue, p.action, p.since from signalbox.pause p order by p.queue, p.action;
end
$$;
