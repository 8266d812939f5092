-- own_tasks: claims up to p_max_tasks ready tasks for an actor.
--
-- Lane i is (p_queues[i], p_actions[i]). Tasks of the highest priority first, whatever their lane;
-- lanes that hold tasks of one priority share equally; within a lane in the order of becoming ready.
-- The ownership lasts for the task's max_duration, else p_max_duration, else for ever.
-- Due timers run and the engine's lane is settled first, a bounded number at a time.
--
-- The claim cursor: a caller that claims again and again gives, per lane, the priority and lowest seq of
-- its previous claim. The claim then steps over none of the index entries of rows deleted before, which
-- an old transaction anywhere on the server keeps from being removed. What became ready behind the
-- cursor is not seen, so leave the cursor out now and then, and whenever a claim comes back short.
--
-- Locks: what run_timers and settle_tasks lock; rows of ready, skipping locked ones; then those tasks,
-- which nobody else waits for.
create or replace function signalbox.own_tasks(
  p_actor_id text,
  p_queues text[],
  p_actions text[],
  p_max_tasks integer,
  p_max_duration interval default null,
  p_cursor_priorities smallint[] default null,
  p_cursor_seqs bigint[] default null,
  p_now timestamptz default null,
  p_num_begun integer default null,
  p_holder uuid default null,
  p_max_slots integer default null,
  p_tasks_per_slot integer default null,
  p_is_oldest_first boolean default false
) returns table (
  id text, token uuid, action text, body jsonb, queue text, priority smallint,
  num_failures integer, num_tries integer, max_tries integer, deadline timestamptz,
  max_duration interval, seq bigint, is_begun boolean, limit_key text, slots integer,
  slots_version bigint
) language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
  v_ids text[];
begin
  perform signalbox.run_timers(v_now);
  perform signalbox.settle_tasks(v_now);
  v_ids := signalbox.claim(p_queues, p_actions, p_max_tasks, p_cursor_priorities, p_cursor_seqs);
  if v_ids is null then
    return;
  end if;

  return query
  with owned as (
    update signalbox.task t
    set status_code = 'in-progress', num_tries = t.num_tries + 1, actor_id = p_actor_id,
      performance_token = gen_random_uuid(), started_at = v_now,
      action_deadline = v_now + coalesce(t.max_duration, p_max_duration)
    where t.id = any (v_ids) and t.status_code = 'pending'
    returning t.id, t.performance_token, t.action, t.body, t.queue, t.priority,
      t.num_failures, t.num_tries, t.max_tries, t.action_deadline,
      coalesce(t.max_duration, p_max_duration), t.seq, true, null::text, null::integer, null::bigint
  ), leased as (
    insert into signalbox.timer (due, kind, ids)
    select signalbox.lease_check(min(o.action_deadline), v_now), 'lease', array_agg(o.id)
    from owned o
    where o.action_deadline is not null
    having count(*) > 0
  )
  select * from owned o order by o.priority desc, o.seq;
end
$$;

-- Takes up to p_max_tasks rows out of ready; null when there are none. Works level by level: a level is
-- the highest priority below the one before that any lane holds.
create or replace function signalbox.claim(
  p_queues text[], p_actions text[], p_max_tasks integer,
  p_cursor_priorities smallint[], p_cursor_seqs bigint[]
) returns text[] language plpgsql as $$
declare
  v_ids text[];
  v_level_ids text[];
  v_level integer := 32767;
  v_num_lanes integer;
  v_left integer := p_max_tasks;
  v_share integer;
  v_is_last_round boolean;
begin
  while v_left > 0 loop
    select h.priority, count(*) into v_level, v_num_lanes
    from unnest(p_queues, p_actions, p_cursor_priorities, p_cursor_seqs)
      as l (queue, action, cursor_priority, cursor_seq)
    cross join lateral (
      -- The lane's highest priority up to v_level, without walking over what lies behind the cursor.
      (select r.priority from signalbox.ready r
        where r.queue = l.queue and r.action = l.action and r.key = '' and r.priority <= v_level
          and r.priority > coalesce(l.cursor_priority, -32768)
        order by r.priority desc, r.seq limit 1)
      union all
      (select r.priority from signalbox.ready r
        where r.queue = l.queue and r.action = l.action and r.key = '' and r.priority <= v_level
          and r.priority = coalesce(l.cursor_priority, -32768)
          and r.seq >= coalesce(l.cursor_seq, 0)
        order by r.seq limit 1)
      union all
      (select r.priority from signalbox.ready r
        where r.queue = l.queue and r.action = l.action and r.key = '' and r.priority <= v_level
          and r.priority < l.cursor_priority
        order by r.priority desc, r.seq limit 1)
      limit 1
    ) as h
    group by h.priority order by h.priority desc limit 1;
    exit when v_level is null;

    -- First a fair share for each lane; then the others get what some lanes left of theirs.
    v_share := (v_left + v_num_lanes - 1) / v_num_lanes;
    loop
      -- A lane that fills a share of all that is left fills the claim: no other round can find more.
      v_is_last_round := v_share >= v_left;
      v_level_ids := signalbox.claim_level(p_queues, p_actions, v_level::smallint, v_share, v_left,
        p_cursor_priorities, p_cursor_seqs);
      v_ids := v_ids || v_level_ids;
      v_left := v_left - coalesce(cardinality(v_level_ids), 0);
      exit when v_left = 0 or v_is_last_round or v_level_ids is null;
      v_share := v_left;
    end loop;
    exit when v_level = -32768;
    v_level := v_level - 1;
  end loop;
  return v_ids;
end
$$;

-- Takes from ready, of priority p_level, up to p_share rows a lane and p_left in all. Shares are rounded
-- up, so the last lanes may find nothing left: in random order, or the first would starve the others.
create or replace function signalbox.claim_level(
  p_queues text[], p_actions text[], p_level smallint, p_share integer, p_left integer,
  p_cursor_priorities smallint[], p_cursor_seqs bigint[]
) returns text[] language plpgsql as $$
declare
  v_ids text[];
begin
  with claimed as (
    delete from signalbox.ready r
    where r.ctid = any (array(
      select c.ctid
      from (
        select *
        from unnest(p_queues, p_actions, p_cursor_priorities, p_cursor_seqs)
          as u (queue, action, cursor_priority, cursor_seq)
        order by random()
      ) as l
      cross join lateral (
        select n.ctid from signalbox.ready n
        where n.queue = l.queue and n.action = l.action and n.key = '' and n.priority = p_level
          and n.seq >= case when l.cursor_priority = p_level then l.cursor_seq else 0 end
        order by n.seq
        limit p_share
        for update skip locked
      ) as c
      limit p_left))
    returning r.id
  )
  select array_agg(c.id) into v_ids from claimed c;
  return v_ids;
end
$$;

-- When to look at a lease again: at its deadline, but at least every five minutes, so that the rows of
-- timer that batches finished long ago leave behind do not pile up for the length of a long lease.
create or replace function signalbox.lease_check(
  p_deadline timestamptz, p_now timestamptz
) returns timestamptz language sql immutable as $$
  select least(p_deadline, p_now + interval '5 minutes')
$$;
