-- claim: takes up to p_max_tasks rows out of ready, of the lanes in p_lanes; ids is null when there are
-- none. The first p_num_begun in the order (priority desc, seq) begin; null: all. p_rooms: see claim_lane;
-- null: no lane has a limit_key.
--
-- Works level by level: a level is the highest priority below the one before that any lane holds. What is
-- claimed of it begins at the rows that told so: the entries of rows deleted before are walked over once.
--
-- Locks: rows of ready, skipping locked ones.
create or replace function signalbox.claim(
  p_lanes signalbox.claim_lane[], p_rooms integer[], p_max_tasks integer, p_num_begun integer
) returns signalbox.claimed language plpgsql as $$
declare
  v_all signalbox.claimed;
  v_part signalbox.claimed;
  v_lanes signalbox.claim_lane[];
  v_level integer := 32767;
  v_num_lanes integer;
  v_num integer := 0;
begin
  v_all.rooms := p_rooms;
  -- Until enough have been taken, all begin.
  v_all.begun_priority := case when p_num_begun = 0 then 32768 else -32769 end;
  while v_num < p_max_tasks loop
    select h.priority, count(*), array_agg((l.queue, l.action, l.key, l.limit_key, l.room_no,
        h.priority, h.seq)::signalbox.claim_lane)
    into v_level, v_num_lanes, v_lanes
    from unnest(p_lanes) as l
    cross join lateral (
      -- The lane's highest priority up to v_level, without walking over what lies behind the cursor.
      (select r.priority, r.seq from signalbox.ready r
        where r.lane = signalbox.lane_hash(l.queue, l.action, l.key)
          and r.queue = l.queue and r.action = l.action and r.key = l.key and r.priority <= v_level
          and r.priority > coalesce(l.cursor_priority, -32768)
        order by r.priority desc, r.seq limit 1)
      union all
      (select r.priority, r.seq from signalbox.ready r
        where r.lane = signalbox.lane_hash(l.queue, l.action, l.key)
          and r.queue = l.queue and r.action = l.action and r.key = l.key and r.priority <= v_level
          and r.priority = coalesce(l.cursor_priority, -32768)
          and r.seq >= coalesce(l.cursor_seq, 0)
        order by r.seq limit 1)
      union all
      (select r.priority, r.seq from signalbox.ready r
        where r.lane = signalbox.lane_hash(l.queue, l.action, l.key)
          and r.queue = l.queue and r.action = l.action and r.key = l.key and r.priority <= v_level
          and r.priority < l.cursor_priority
        order by r.priority desc, r.seq limit 1)
      limit 1
    ) as h
    where coalesce(v_all.rooms[l.room_no], 1) > 0
    group by h.priority order by h.priority desc limit 1;
    exit when v_level is null;

    v_part := signalbox.claim_level(v_lanes, v_all.rooms, v_level::smallint, v_num_lanes,
      p_max_tasks - v_num, p_num_begun is not null);
    v_all.ids := v_all.ids || v_part.ids;
    v_all.rooms := v_part.rooms;
    if p_num_begun > v_num and p_num_begun <= v_num + cardinality(v_part.ids) then
      v_all.begun_priority := v_level;
      v_all.begun_seq := (
        select s.seq from unnest(v_part.seqs) as s (seq)
        order by s.seq offset p_num_begun - v_num - 1 limit 1);
    end if;
    v_num := v_num + coalesce(cardinality(v_part.ids), 0);
    exit when v_level = -32768;
    v_level := v_level - 1;
  end loop;
  return v_all;
end
$$;

-- Takes up to p_max_tasks rows of priority p_level, which p_num_lanes lanes hold: a fair share of each lane;
-- what some lanes left of theirs, the others share in the same way.
create or replace function signalbox.claim_level(
  p_lanes signalbox.claim_lane[], p_rooms integer[], p_level smallint, p_num_lanes integer,
  p_max_tasks integer, p_with_seqs boolean
) returns signalbox.claimed language plpgsql as $$
declare
  v_all signalbox.claimed;
  v_ids text[];
  v_seqs bigint[];
  v_lanes signalbox.claim_lane[] := p_lanes;
  v_num_lanes integer := p_num_lanes;
  v_left integer := p_max_tasks;
  v_share integer;
begin
  v_all.rooms := p_rooms;
  loop
    v_share := (v_left + v_num_lanes - 1) / v_num_lanes;
    if p_rooms is null and v_num_lanes = 1 then
      select c.ids, c.seqs into v_ids, v_seqs
      from signalbox.claim_lane(v_lanes[1], p_level, v_left, p_with_seqs) as c;
      v_num_lanes := 0;
    elsif p_rooms is null then
      select c.ids, c.seqs, c.full_lanes into v_ids, v_seqs, v_lanes
      from signalbox.claim_shares(v_lanes, p_level, v_share, v_left, p_with_seqs) as c;
      v_num_lanes := coalesce(cardinality(v_lanes), 0);
    else
      select c.ids, c.seqs, c.rooms into v_ids, v_seqs, v_all.rooms
      from signalbox.claim_limited_shares(p_lanes, v_all.rooms, p_level, v_share, v_left) as c;
      -- Lanes that share a limit may have taken less than their part: all are asked for all that is left.
      v_num_lanes := 1;
    end if;
    exit when v_ids is null;
    v_all.ids := v_all.ids || v_ids;
    v_all.seqs := v_all.seqs || v_seqs;
    v_left := v_left - cardinality(v_ids);
    exit when v_left = 0 or v_num_lanes = 0;
  end loop;
  return v_all;
end
$$;

-- Takes from ready up to p_max_tasks rows of priority p_level of one lane. With claim_shares instead, own and
-- return of tasks in one lane took the server 5 % longer.
--
-- Of several claims at once each finds its place behind the others: from the first row on it would step over all that
-- they have locked. A place is an advisory lock, and as many seq further on as those before it can take rows. What they
-- leave is claimed in a second part where the first fell short; and in a lane that never runs empty, by one claim in
-- ten, which takes no place: a session that hangs with one would keep rows from being claimed. Nothing else depends on
-- it but time: see docs/performance.md.
create or replace function signalbox.claim_lane(
  p_lane signalbox.claim_lane, p_level smallint, p_max_tasks integer, p_with_seqs boolean,
  out ids text[], out seqs bigint[]
) language plpgsql as $$
declare
  v_lane bigint := signalbox.lane_hash(p_lane.queue, p_lane.action, p_lane.key);
  v_first bigint := case when p_lane.cursor_priority = p_level then p_lane.cursor_seq else 0 end;
  v_from bigint := v_first;
  v_until bigint := 9223372036854775807;
  v_ids text[];
  v_seqs bigint[];
begin
  if random() < 0.9 then
    for v_place in 0..least(signalbox.place_span() / p_max_tasks, 31) loop
      v_from := v_first + v_place * p_max_tasks;
      exit when pg_try_advisory_xact_lock(v_lane # v_place);
    end loop;
  end if;

  loop
    with claimed as (
      delete from signalbox.ready r
      where r.ctid = any (array(
        select n.ctid from signalbox.ready n
        where n.lane = v_lane
          and n.queue = p_lane.queue and n.action = p_lane.action and n.key = p_lane.key
          and n.priority = p_level and n.seq >= v_from and n.seq < v_until
        order by n.seq
        limit p_max_tasks - coalesce(cardinality(ids), 0)
        for update skip locked))
      returning r.id, r.seq
    )
    select array_agg(c.id), array_agg(c.seq) filter (where p_with_seqs) into v_ids, v_seqs
    from claimed c;
    ids := ids || v_ids;
    seqs := seqs || v_seqs;
    exit when v_from = v_first or cardinality(ids) = p_max_tasks;
    v_until := v_from;
    v_from := v_first;
  end loop;
end
$$;

-- How many seq the last place is behind the first at most. Claim cursors (src/store/claim-cursor.ts) stay that much
-- further back: they must not pass over what a claim that had an earlier place left.
create or replace function signalbox.place_span() returns integer language sql immutable as $$
  select 1000
$$;

-- Takes from ready, of priority p_level, up to p_share rows a lane and p_max_tasks in all. full_lanes: those
-- that gave their whole share; null: none, or it is the only one, which has no more.
--
-- Shares are rounded up. What is too much is left where the last row of the share is the youngest, one row a lane:
-- what became ready together, in several lanes, is then claimed together, and its signals to one task are one
-- update of it: diamonds with an action for each node run 14 % faster than with random lanes that go short. A
-- share of one row means that there may be more lanes than rows to take: these are random, or the first would
-- starve the others.
create or replace function signalbox.claim_shares(
  p_lanes signalbox.claim_lane[], p_level smallint, p_share integer, p_max_tasks integer,
  p_with_seqs boolean,
  out ids text[], out seqs bigint[], out full_lanes signalbox.claim_lane[]
) language plpgsql as $$
#variable_conflict use_column
begin
  with claimed as (
    delete from signalbox.ready r
    where r.ctid = any (array(
      select c.ctid
      from (
        select c.ctid, c.seq, c.place
        from (select * from unnest(p_lanes) order by random()) as l
        cross join lateral (
          select o.ctid, o.seq, row_number() over (order by o.seq) as place
          from (
            select n.ctid, n.seq from signalbox.ready n
            where n.lane = signalbox.lane_hash(l.queue, l.action, l.key)
              and n.queue = l.queue and n.action = l.action and n.key = l.key
              and n.priority = p_level
              and n.seq >= case when l.cursor_priority = p_level then l.cursor_seq else 0 end
            order by n.seq
            limit p_share
            for update skip locked
          ) as o
        ) as c
        limit case when p_share = 1 then p_max_tasks end
      ) as c
      order by c.place = p_share, c.seq
      limit p_max_tasks))
    returning r.id, r.seq, r.queue, r.action, r.key
  ), lane as (
    select c.queue, c.action, c.key from claimed c
    where p_share < p_max_tasks
    group by c.queue, c.action, c.key having count(*) >= p_share
  )
  select array_agg(c.id), array_agg(c.seq) filter (where p_with_seqs), (
      select array_agg(l)
      from unnest(p_lanes) as l
      join lane f on f.queue = l.queue and f.action = l.action and f.key = l.key)
  into ids, seqs, full_lanes
  from claimed c;
end
$$;

-- The same where lanes have limits: those that have something, of one limit, take equal parts of its room.
create or replace function signalbox.claim_limited_shares(
  p_lanes signalbox.claim_lane[], p_rooms integer[], p_level smallint, p_share integer,
  p_max_tasks integer
) returns signalbox.claimed language plpgsql as $$
declare
  v_claimed signalbox.claimed;
begin
  with lane as materialized (
    select l.*, p_rooms[l.room_no] as room, count(*) over (partition by l.room_no) as num_lanes,
      row_number() over (partition by l.room_no order by random()) as n
    from unnest(p_lanes) as l
    where coalesce(p_rooms[l.room_no], 1) > 0 and (
      select true from signalbox.ready r
      where r.lane = signalbox.lane_hash(l.queue, l.action, l.key)
        and r.queue = l.queue and r.action = l.action and r.key = l.key and r.priority = p_level
        and r.seq >= case when l.cursor_priority = p_level then l.cursor_seq else 0 end limit 1)
  ), claimed as (
    delete from signalbox.ready r
    where r.ctid = any (array(
      select c.ctid
      from (select * from lane order by random()) as l
      cross join lateral (
        select n.ctid from signalbox.ready n
        where n.lane = signalbox.lane_hash(l.queue, l.action, l.key)
          and n.queue = l.queue and n.action = l.action and n.key = l.key and n.priority = p_level
          and n.seq >= case when l.cursor_priority = p_level then l.cursor_seq else 0 end
        order by n.seq
        limit case when l.room is null then p_share else least(p_share,
          l.room / l.num_lanes + case when l.n <= l.room % l.num_lanes then 1 else 0 end) end
        for update skip locked
      ) as c
      limit p_max_tasks))
    returning r.id, r.seq, r.queue, r.action, r.key
  ), taken as (
    select l.room_no, count(*)::integer as count
    from claimed c join lane l on l.queue = c.queue and l.action = c.action and l.key = c.key
    where l.room_no is not null
    group by l.room_no
  )
  select array_agg(c.id), array_agg(c.seq), (
      select array_agg(g.room - coalesce(t.count, 0) order by g.n)
      from unnest(p_rooms) with ordinality as g (room, n) left join taken t on t.room_no = g.n)
  into v_claimed.ids, v_claimed.seqs, v_claimed.rooms
  from claimed c;
  return v_claimed;
end
$$;

-- claim for those who want the tasks ready for longest first, whatever their priority: those up to
-- begun_seq begin. Looks first, without locks, how many rows each priority of each lane contributes, then
-- takes as many: locked ones are skipped, so that of several claims at once each finds its own, not quite
-- the first.
create or replace function signalbox.claim_oldest(
  p_lanes signalbox.claim_lane[], p_rooms integer[], p_max_tasks integer, p_num_begun integer
) returns signalbox.claimed language plpgsql as $$
declare
  v_claimed signalbox.claimed;
begin
  with recursive lane as materialized (
    select l.queue, l.action, l.key, l.room_no, p_rooms[l.room_no] as room
    from (select distinct u.queue, u.action, u.key, u.room_no from unnest(p_lanes) as u) as l
    where coalesce(p_rooms[l.room_no], 1) > 0
  ), level as (
    -- The priorities present, each by one look into the index.
    select l.*, 32768 as priority from lane l
    union all
    select v.queue, v.action, v.key, v.room_no, v.room, h.priority
    from level v
    cross join lateral (
      select r.priority::integer from signalbox.ready r
      where r.lane = signalbox.lane_hash(v.queue, v.action, v.key)
        and r.queue = v.queue and r.action = v.action and r.key = v.key and r.priority < v.priority
      order by r.priority desc, r.seq limit 1
    ) as h
  ), candidate as (
    select v.queue, v.action, v.key, v.priority, v.room, o.seq,
      row_number() over (partition by v.room_no order by o.seq) as n
    from level v
    cross join lateral (
      select r.seq from signalbox.ready r
      where r.lane = signalbox.lane_hash(v.queue, v.action, v.key)
        and r.queue = v.queue and r.action = v.action and r.key = v.key
        and r.priority = v.priority::smallint
      order by r.seq limit least(p_max_tasks, v.room)
    ) as o
    where v.priority < 32768
  ), part as materialized (
    select c.queue, c.action, c.key, c.priority, count(*) as count
    from (
      select * from candidate c where coalesce(c.n <= c.room, true) order by c.seq limit p_max_tasks
    ) as c
    group by c.queue, c.action, c.key, c.priority
  ), claimed as (
    delete from signalbox.ready r
    where r.ctid = any (array(
      select o.ctid
      from part p
      cross join lateral (
        select n.ctid from signalbox.ready n
        where n.lane = signalbox.lane_hash(p.queue, p.action, p.key)
          and n.queue = p.queue and n.action = p.action and n.key = p.key
          and n.priority = p.priority::smallint
        order by n.seq limit p.count
        for update skip locked
      ) as o))
    returning r.id, r.seq, r.queue, r.action, r.key
  ), taken as (
    select l.room_no, count(*)::integer as count
    from claimed c join lane l on l.queue = c.queue and l.action = c.action and l.key = c.key
    where l.room_no is not null
    group by l.room_no
  )
  select array_agg(c.id), (
      select array_agg(g.room - coalesce(t.count, 0) order by g.n)
      from unnest(p_rooms) with ordinality as g (room, n) left join taken t on t.room_no = g.n),
    case
      when p_num_begun = 0 then -1
      when p_num_begun < count(*) then (array_agg(c.seq order by c.seq))[p_num_begun]
      else 9223372036854775807 end
  into v_claimed.ids, v_claimed.rooms, v_claimed.begun_seq
  from claimed c;
  return v_claimed;
end
$$;
