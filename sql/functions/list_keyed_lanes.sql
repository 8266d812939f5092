-- list_keyed_lanes: private helpers about the lanes of tasks with a limit_key or a fair_key.
--
-- Whoever claims does not name them, so that each that has ready tasks must have a row in keyed_lane. A claim
-- that finds a lane empty deletes its rows; the race to close is with somebody who relies on such a row for
-- tasks that are not committed yet:
--
--   enqueuer E                                   claimer C
--   1. inserts into ready
--   2. locks the lane's row for key share        2. finds the lane empty: it cannot see E's task
--      until its end                             3. locks the row for update, skip locked: E has it, so C
--                                                   leaves it
--   Or C is first:                               2. finds the lane empty, locks the row for update
--   3. skips the locked row, and inserts a row   3. looks again, in a statement of its own that sees all
--      of its own                                   who had the row before and have committed; deletes it
--
-- Neither ever waits: an insert may be a long transaction of a user's, for which no return of tasks may
-- wait. The price is that a lane may have two rows for a while: hence no unique index. Rows of one lane are
-- claimed from as one and deleted together.
--
-- Whether a lane is empty is asked by a subselect with a limit: "exists" may become a join that looks at
-- all rows of (queue, action) rather than look up the key.

-- Sees to it that each of the lanes that has a key is listed. Called in the transaction that put its tasks
-- there.
--
-- Locks: rows of keyed_lane, for key share, skipping those locked for update.
create or replace function signalbox.list_keyed_lanes(
  p_lanes signalbox.lane_count[]
) returns void language plpgsql as $$
begin
  with given as materialized (
    select distinct l.queue collate "C" as queue, l.action collate "C" as action,
      l.key collate "C" as key
    from unnest(p_lanes) as l
    where l.key <> ''
  ), held as materialized (
    select g.queue, g.action, g.key
    from given g
    cross join lateral (
      select from signalbox.keyed_lane o
      where o.queue = g.queue and o.action = g.action and o.key = g.key
      limit 1
      for key share skip locked
    ) as k
  )
  insert into signalbox.keyed_lane (queue, action, key, limit_key)
  select g.queue, g.action, g.key, signalbox.limit_of_lane(g.key)
  from given g
  where not exists (
    select from held h where h.queue = g.queue and h.action = g.action and h.key = g.key);
end
$$;

-- The lane within (queue, action) of a task with these keys: empty without any. Its length keeps two apart.
create or replace function signalbox.lane_key(
  p_fair_key text, p_limit_key text
) returns text language sql immutable as $$
  select case when p_fair_key is null and p_limit_key is null then ''
    else coalesce(length(p_fair_key), -1)::text || ':' || coalesce(p_fair_key, '')
      || coalesce(p_limit_key, '') end
$$;

-- What ready.lane is of a lane; its table says the same in words of its own, being there before functions.
create or replace function signalbox.lane_hash(
  p_queue text, p_action text, p_key text
) returns bigint language sql immutable as $$
  select hashtextextended(p_key, hashtextextended(p_action, hashtextextended(p_queue, 0)))
$$;

-- The limit_key within a lane_key; null: there is none.
create or replace function signalbox.limit_of_lane(
  p_key text
) returns text language sql immutable as $$
  select case when p_key <> '' then nullif(substr(p_key, strpos(p_key, ':') + 1
    + greatest(split_part(p_key, ':', 1)::integer, 0)), '') end
$$;

-- The next p_max keyed lanes to look at of the (queue, action) pairs in p_lanes: open ones, closed ones
-- whose time has come, and those that are closed because all slots are taken, for a holder that has some of
-- them and owns fewer than p_tasks_per_slot for each. Those only while nobody sleeps on (queue, action): a
-- holder that never runs out of tasks gives no slot back. Null: none.
create or replace function signalbox.open_keyed_lanes(
  p_lanes signalbox.claim_lane[], p_max integer, p_takes_limited boolean, p_holder uuid,
  p_tasks_per_slot integer, p_now timestamptz
) returns signalbox.claim_lane[] language plpgsql as $$
declare
  v_lanes signalbox.claim_lane[];
begin
  select array_agg((k.queue, k.action, k.key, k.limit_key, null, null, null)::signalbox.claim_lane)
  into v_lanes
  from (
    select k.queue, k.action, k.key, k.limit_key
    from (select distinct p.queue, p.action from unnest(p_lanes) as p) as l
    cross join lateral (
      (select * from signalbox.keyed_lane o
        where o.queue = l.queue and o.action = l.action and o.closed_until is null
        order by o.turn limit p_max)
      union all
      (select * from signalbox.keyed_lane o
        where o.queue = l.queue and o.action = l.action and o.closed_until > '-infinity'
          and o.closed_until <= p_now
        order by o.closed_until limit p_max)
      union all
      (select o.* from signalbox.limit_slot m
        join signalbox.keyed_lane o on o.limit_key = m.key and o.closed_until is not null
        where m.holder = p_holder and m.in_hand < m.slots::bigint * p_tasks_per_slot
          -- No join, which may begin with all keys. One with a rate alone is not closed for want of slots.
          and (select c.max_in_progress from signalbox.limit_key c where c.key = m.key) is not null
          and o.queue = l.queue and o.action = l.action
          and not exists (
            select from signalbox.sleeper s where s.queue = l.queue and s.action = l.action)
        order by o.turn limit p_max)
    ) as k
    where k.limit_key is null or p_takes_limited
    group by k.queue, k.action, k.key, k.limit_key
    order by min(k.turn) limit p_max
  ) as k;
  return v_lanes;
end
$$;

-- What is left to do for keyed lanes that a claim has looked at: forgets those that are empty, closes those
-- whose limit is reached, opens the others, and with p_is_cut gives all a new turn: there may be more lanes
-- than were looked at. A lane whose slots are all taken is closed until one is given back; should that ever
-- be missed, for ten seconds. One whose rate is used up is closed until its oldest tries no longer count.
--
-- Locks: rows of keyed_lane, skipping locked ones.
create or replace function signalbox.tend_keyed_lanes(
  p_lanes signalbox.claim_lane[], p_limited text[], p_is_cut boolean, p_now timestamptz
) returns void language plpgsql as $$
declare
  v_empty tid[];
begin
  v_empty := array(
    select k.ctid
    from unnest(p_lanes) as l
    cross join lateral (
      select o.ctid from signalbox.keyed_lane o
      where o.queue = l.queue and o.action = l.action and o.key = l.key and (
        select true from signalbox.ready r
        where r.lane = signalbox.lane_hash(l.queue, l.action, l.key)
          and r.queue = l.queue and r.action = l.action and r.key = l.key
        order by r.priority, r.seq desc limit 1) is null
      for update skip locked
    ) as k);
  if cardinality(v_empty) > 0 then
    delete from signalbox.keyed_lane k
    where k.ctid = any (v_empty) and (
      select true from signalbox.ready r
      where r.lane = signalbox.lane_hash(k.queue, k.action, k.key)
        and r.queue = k.queue and r.action = k.action and r.key = k.key limit 1) is null;
  end if;

  with closing as materialized (
    select s.key,
      greatest(case when s.free <= 0 then p_now + interval '5 seconds' end, s.rate_opens_at) as earliest,
      greatest(case when s.free <= 0 then p_now + interval '10 seconds' end, s.rate_opens_at) as until
    from signalbox.limit_states(p_limited, null, p_now) as s
    where p_limited is not null
  )
  update signalbox.keyed_lane k
  set turn = nextval('signalbox.ready_seq'),
    closed_until = (select c.until from closing c where c.key = k.limit_key)
  where k.ctid = any (array(
    select o.ctid
    from unnest(p_lanes) as l
    left join closing c on c.key = l.limit_key
    cross join lateral (
      select i.ctid, i.closed_until from signalbox.keyed_lane i
      where i.queue = l.queue and i.action = l.action and i.key = l.key
      for no key update skip locked
    ) as o
    where p_is_cut
      or not coalesce(o.closed_until between c.earliest and c.until,
        o.closed_until is null and c.until is null)));
end
$$;

-- Opens closed lanes of limit keys that have got room, the longest waiting first, and wakes sleepers: about
-- p_counts[i] lanes of p_keys[i], eight at least. Lanes that wait for their rate stay closed.
--
-- Locks: rows of keyed_lane, skipping locked ones: whoever has one locked opens it too, or is an owner of
-- the same key, which holds all its slots until its end and so is not at work at the same time as who gave
-- one back.
create or replace function signalbox.reopen_keyed_lanes(
  p_keys text[], p_counts bigint[], p_now timestamptz
) returns void language plpgsql as $$
declare
  v_lanes signalbox.lane_count[];
begin
  with opening as materialized (
    select g.key, g.count, s.rate_opens_at
    from unnest(p_keys, p_counts) as g (key, count)
    left join signalbox.limit_states(p_keys, null, p_now) as s on s.key = g.key
  ), opened as (
    update signalbox.keyed_lane k
    set closed_until = (select p.rate_opens_at from opening p where p.key = k.limit_key)
    where k.ctid = any (array(
      select o.ctid
      from opening p
      cross join lateral (
        select c.ctid from signalbox.keyed_lane c
        where c.limit_key = p.key and c.closed_until is not null and (
          select true from signalbox.ready r
          where r.lane = signalbox.lane_hash(c.queue, c.action, c.key)
            and r.queue = c.queue and r.action = c.action and r.key = c.key limit 1)
        order by c.turn
        limit greatest(p.count, 8)
        for no key update skip locked
      ) as o))
    returning k.queue, k.action, k.key, k.limit_key, k.closed_until
  )
  select array_agg((o.queue, o.action, o.key, p.count)::signalbox.lane_count) into v_lanes
  from opened o join opening p on p.key = o.limit_key
  where o.closed_until is null;

  perform signalbox.wake_sleepers(v_lanes, p_now);
end
$$;
