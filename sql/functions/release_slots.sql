-- release_slots: gives slots back: element i says that a task of limit key p_keys[i], owned by p_holders[i]
-- (null: without a holder), is in progress no more.
--
-- A row of limit_slot says of a holder how many tasks of the key it has in progress (in_hand) and how many
-- of them it may perform at once (slots). The slots of all holders together never exceed max_in_progress,
-- unless that was lowered since. A holder may own more than it has slots: it uses a slot again and again,
-- and no row is touched. It holds no more slots than tasks: those left over are free for others, and a lane
-- that was closed for want of them opens. Rows are kept for keys without a limit too, so that a limit set
-- later finds what is in progress.
--
-- Locks: the rows of limit_slot, in the order of (key, holder), last of all in its transaction; then rows
-- of keyed_lane and sleeper, skipping locked ones. An owner locks all slots of the limited keys it claims
-- from, so that it cannot close a lane for want of a slot while one is given back.
create or replace function signalbox.release_slots(
  p_keys text[], p_holders uuid[], p_now timestamptz
) returns void language plpgsql as $$
declare
  v_keys text[];
  v_counts bigint[];
begin
  perform 1
  from signalbox.returned_slots(p_keys, p_holders) as g
  join signalbox.limit_slot s on s.key = g.key and s.holder = g.holder
  order by s.key, s.holder
  for no key update of s;

  with less as (
    select s.key, s.holder, s.slots, s.in_hand - g.count as in_hand
    from signalbox.returned_slots(p_keys, p_holders) as g
    join signalbox.limit_slot s on s.key = g.key and s.holder = g.holder
  ), deleted as (
    delete from signalbox.limit_slot s using less l
    where s.key = l.key and s.holder = l.holder and l.in_hand <= 0
  ), lowered as (
    update signalbox.limit_slot s
    set in_hand = l.in_hand, slots = least(l.slots, l.in_hand)
    from less l
    where s.key = l.key and s.holder = l.holder and l.in_hand > 0
  )
  select array_agg(f.key), array_agg(least(f.freed, 64)) into v_keys, v_counts
  from (
    select l.key, sum(l.slots - greatest(least(l.slots, l.in_hand), 0)) as freed
    from less l
    join signalbox.limit_key k on k.key = l.key
    where k.max_in_progress is not null
    group by l.key
  ) as f
  where f.freed > 0;

  -- For own_tasks, which takes no limited tasks then.
  perform set_config('signalbox_limits.released', 'yes', true);
  if v_keys is not null then
    perform signalbox.reopen_keyed_lanes(v_keys, v_counts, p_now);
  end if;
end
$$;

-- How many slots of each row of limit_slot come back.
create or replace function signalbox.returned_slots(
  p_keys text[], p_holders uuid[]
) returns table (key text, holder uuid, count integer) language plpgsql rows 10 as $$
begin
  return query
  select g.key collate "C", signalbox.slot_holder(g.holder), count(*)::integer
  from unnest(p_keys, p_holders) as g (key, holder)
  where g.key is not null
  group by 1, 2;
end
$$;

-- Owners without a holder share one.
create or replace function signalbox.slot_holder(
  p_holder uuid
) returns uuid language sql immutable as $$
  select coalesce(p_holder, '00000000-0000-0000-0000-000000000000')
$$;

-- How limited keys stand; keys without limits are left out. free: slots that nobody has, less than 0 when
-- the limit was lowered; null: no limit. slots, in_hand: those of p_holder. rate_left: tries that may be
-- owned now; null: no rate. rate_opens_at: when one may be owned again, if none may be now.
create or replace function signalbox.limit_states(
  p_keys text[], p_holder uuid, p_now timestamptz
) returns table (
  key text, free bigint, slots integer, in_hand integer, rate_left bigint, rate_opens_at timestamptz
) language plpgsql rows 10 as $$
begin
  return query
  select k.key, k.max_in_progress - coalesce(a.slots, 0), coalesce(m.slots, 0),
    coalesce(m.in_hand, 0),
    case when k.rate_count is not null then greatest(k.rate_count - coalesce(r.count, 0), 0) end,
    case when r.count >= k.rate_count then r.oldest + k.rate_interval end
  from signalbox.limit_key k
  left join signalbox.limit_slot m on m.key = k.key and m.holder = p_holder
  cross join lateral (
    select sum(s.slots) as slots from signalbox.limit_slot s where s.key = k.key) as a
  cross join lateral (
    select sum(s.count) as count, min(s.at) as oldest
    from unnest(k.starts_at, k.starts_count) as s (at, count)
    where s.at > p_now - k.rate_interval
  ) as r
  where k.key = any (p_keys) and (k.max_in_progress is not null or k.rate_count is not null);
end
$$;

-- How many tasks of each limit key p_holder may own now: numbers the rooms of the lanes in p_lanes, and
-- returns the rooms in that order, with the keys they are of and which of those have limits. A rate gives
-- no more than p_num_begun: what is owned ahead would be performed later, all at once.
--
-- Locks: the limited keys, in their order; then all slots of those, and p_holder's of the others, in the
-- order of (key, holder). Until the end of the transaction, so that no other owner grants the same slots.
create or replace function signalbox.measure_rooms(
  p_lanes signalbox.claim_lane[], p_holder uuid, p_max_slots integer, p_tasks_per_slot integer,
  p_num_begun integer, p_now timestamptz,
  out lanes signalbox.claim_lane[], out keys text[], out rooms integer[], out limited text[]
) language plpgsql as $$
begin
  select array_agg(distinct l.limit_key order by l.limit_key) into keys
  from unnest(p_lanes) as l where l.limit_key is not null;
  lanes := p_lanes;
  if keys is null then
    return;
  end if;

  perform 1 from signalbox.limit_key k
  where k.key = any (keys) and (k.max_in_progress is not null or k.rate_count is not null)
  order by k.key
  for no key update;
  perform 1 from signalbox.limit_slot s
  where s.key = any (keys) and (s.holder = p_holder or exists (
    select from signalbox.limit_key k where k.key = s.key and k.max_in_progress is not null))
  order by s.key, s.holder
  for no key update of s;

  select array_agg(s.key), array_agg(least(2147483647, s.rate_left,
      case when s.rate_left is not null then p_num_begun end,
      case when s.free is not null then greatest(0,
        least(s.slots + s.free, p_max_slots) * p_tasks_per_slot - s.in_hand) end
    )::integer order by k.n)
  into limited, rooms
  from unnest(keys) with ordinality as k (key, n)
  left join signalbox.limit_states(keys, p_holder, p_now) as s on s.key = k.key;
  limited := array_remove(limited, null);
  lanes := array(
    select (l.queue, l.action, l.key, l.limit_key, array_position(keys, l.limit_key), null, null
      )::signalbox.claim_lane
    from unnest(p_lanes) as l);
end
$$;

-- Writes down that p_holder owns more tasks of p_keys: as many as p_before has more room for the key than
-- p_after. Returns the slots that it now has of those that are limited, and which of several such answers
-- is the latest. p_limited are the limited ones, as measure_rooms found and locked them.
--
-- Locks: p_holder's rows of limit_slot, in the order of their keys.
create or replace function signalbox.grant_slots(
  p_keys text[], p_before integer[], p_after integer[], p_limited text[], p_holder uuid,
  p_max_slots integer, p_now timestamptz, out keys text[], out slots integer[], out versions bigint[]
) language plpgsql as $$
declare
  v_keys text[];
  v_counts integer[];
begin
  select array_agg(r.key), array_agg(r.before - r.after) into v_keys, v_counts
  from unnest(p_keys, p_before, p_after) as r (key, before, after)
  where r.before > r.after;

  insert into signalbox.limit_slot as m (key, holder, slots, in_hand)
  select s.key, p_holder, case when s.free is null then s.in_hand + o.count
    else least(s.slots + s.free, p_max_slots, s.in_hand + o.count) end, s.in_hand + o.count
  from unnest(v_keys, v_counts) as o (key, count)
  join signalbox.limit_states(p_limited, p_holder, p_now) as s on s.key = o.key
  order by s.key collate "C"
  on conflict (key, holder) do update set slots = excluded.slots, in_hand = excluded.in_hand;

  -- Of a key without limits, others may own for the same holder at the same time.
  insert into signalbox.limit_slot as m (key, holder, slots, in_hand)
  select o.key, p_holder, o.count, o.count
  from unnest(v_keys, v_counts) as o (key, count)
  where not o.key = any (p_limited)
  order by o.key collate "C"
  on conflict (key, holder) do update
    set slots = m.in_hand + excluded.in_hand, in_hand = m.in_hand + excluded.in_hand;

  with granted as (
    update signalbox.limit_key l
    set version = l.version + 1, (starts_at, starts_count) = (
      select w.starts_at, w.starts_count from signalbox.with_starts(
        l.starts_at, l.starts_count, o.count, l.rate_interval, p_now) as w)
    from unnest(v_keys, v_counts) as o (key, count)
    where l.key = o.key and l.key = any (p_limited)
    returning l.key, l.version, l.max_in_progress
  )
  select array_agg(g.key), array_agg(m.slots), array_agg(g.version)
  into keys, slots, versions
  from granted g
  join signalbox.limit_slot m on m.key = g.key and m.holder = p_holder
  where g.max_in_progress is not null;
end
$$;

-- The log of a rate with p_count tries more. What is older than the interval is dropped. More than 32 times
-- are rounded up to thirtieths of the interval: too late never lets too many pass.
create or replace function signalbox.with_starts(
  p_at timestamptz[], p_counts integer[], p_count integer, p_interval interval, p_now timestamptz,
  out starts_at timestamptz[], out starts_count integer[]
) language plpgsql as $$
declare
  v_width bigint;
begin
  starts_at := '{}';
  starts_count := '{}';
  if p_interval is null then
    return;
  end if;
  for v_round in 1..2 loop
    select array_agg(s.at order by s.at), array_agg(s.count order by s.at)
    into starts_at, starts_count
    from (
      select l.at, sum(l.count)::integer as count
      from (
        -- In whole microseconds: what was rounded before must stay as it is.
        select u.count, case when v_width is null then u.at else to_timestamp(
          (((extract(epoch from u.at) * 1000000)::bigint + v_width - 1) / v_width * v_width)
            / 1000000.0) end as at
        from unnest(p_at || p_now, p_counts || p_count) as u (at, count)
        where u.at > p_now - p_interval
      ) as l
      group by l.at
    ) as s;
    exit when cardinality(starts_at) <= 32;
    v_width := greatest(ceil(extract(epoch from p_interval) * 1000000 / 30), 1);
  end loop;
end
$$;
