-- own_tasks: claims up to p_max_tasks ready tasks for an actor.
--
-- Lane i is (p_queues[i], p_actions[i]). Tasks of the highest priority first, whatever their lane; lanes
-- that hold tasks of one priority share equally; within a lane in the order of becoming ready. With
-- p_is_oldest_first: those ready for longest first, whatever their priority and lane. Paused lanes give
-- nothing. The ownership lasts for the task's max_duration, else p_max_duration, else for ever. The first
-- p_num_begun begin now (null: all), the others are owned ahead: see begin_tasks. Signals on their way are
-- given, due timers run and the engine's lane is settled first, a bounded number at a time. All that are claimed
-- together have one token, which names an ownership together with the task's id: one each took a claim 7 % longer.
-- p_token says which, a uuid that no other call was given; null: a random one.
--
-- Tasks with a limit_key or a fair_key lie in lanes of their own within (queue, action), of which up to 64
-- are looked at in turn besides those given. p_holder, a manager of many tasks, may perform at once as many
-- tasks of a limited key as it has slots: up to p_max_slots of max_in_progress; it may own p_tasks_per_slot
-- for each. Without a holder each task takes a slot. See release_slots.
--
-- The claim cursor: a caller that claims again and again gives, per lane, the priority and lowest seq of
-- its previous claim. The claim then steps over none of the index entries of rows deleted before, which an
-- old transaction anywhere on the server keeps from being removed. What became ready behind the cursor is
-- not seen, so leave the cursor out now and then, and whenever a claim comes back short. It is about tasks
-- without a limit_key or fair_key: those that have a null slots_version in what is returned, which is in
-- the order (priority desc, seq).
--
-- Locks: what give_signals, run_timers and settle_tasks lock; limited keys and slots (see measure_rooms); rows of
-- ready, skipping locked ones; then those tasks, for which nobody but updates waits; unique keys that they free; slots;
-- rows of keyed_lane, skipping locked ones. Having given slots back, of tasks that lapsed, it takes no
-- tasks with a limit_key: locked in one transaction, slots of both kinds would be in no order. The next
-- call does.
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
  p_is_oldest_first boolean default false,
  p_token uuid default null
) returns table (
  id text, token uuid, action text, body jsonb, queue text, priority smallint,
  num_failures integer, num_tries integer, max_tries integer, deadline timestamptz,
  max_duration interval, seq bigint, is_begun boolean, limit_key text, slots integer,
  slots_version bigint
) language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
  v_holder uuid := signalbox.slot_holder(p_holder);
  v_max_slots integer := case when p_holder is not null then p_max_slots end;
  v_lanes signalbox.claim_lane[];
  v_keyed signalbox.claim_lane[];
  v_tasks_per_slot integer :=
    case when p_holder is null then 1 else coalesce(p_tasks_per_slot, 1) end;
  v_max_keyed integer := least(64, greatest(8, p_max_tasks));
  v_keys text[];
  v_token uuid := coalesce(p_token, gen_random_uuid());
  v_rooms integer[];
  v_limited text[];
  v_claimed signalbox.claimed;
  v_slots integer[];
  v_versions bigint[];
begin
  perform set_config('signalbox_limits.released', '', true);
  perform signalbox.give_signals(v_now);
  perform signalbox.run_timers(v_now);
  perform signalbox.settle_tasks(v_now);

  v_lanes := signalbox.given_lanes(p_queues, p_actions, p_cursor_priorities, p_cursor_seqs);
  if exists (select from signalbox.keyed_lane) then
    v_keyed := signalbox.open_keyed_lanes(v_lanes, v_max_keyed,
      current_setting('signalbox_limits.released') = '', v_holder, v_tasks_per_slot, v_now);
  end if;
  if v_keyed is not null then
    select m.lanes, m.keys, m.rooms, m.limited into v_keyed, v_keys, v_rooms, v_limited
    from signalbox.measure_rooms(v_keyed, v_holder, v_max_slots, v_tasks_per_slot, p_num_begun,
      v_now) as m;
    v_lanes := v_lanes || v_keyed;
  end if;
  if p_is_oldest_first then
    v_claimed := signalbox.claim_oldest(v_lanes, v_rooms, p_max_tasks, p_num_begun);
  else
    v_claimed := signalbox.claim(v_lanes, v_rooms, p_max_tasks, p_num_begun);
  end if;
  if v_claimed.rooms <> v_rooms then
    select g.keys, g.slots, g.versions into v_keys, v_slots, v_versions
    from signalbox.grant_slots(v_keys, v_rooms, v_claimed.rooms, v_limited, v_holder, v_max_slots,
      v_now) as g;
  end if;

  if v_claimed.ids is not null then
    return query
    with owned as (
      update signalbox.task t
      set status_code = 'in-progress', num_tries = t.num_tries + 1, actor_id = p_actor_id,
        performance_token = v_token, updated_at = v_now,
        action_deadline = v_now + coalesce(t.max_duration, p_max_duration),
        holder = case when t.limit_key is not null then p_holder end,
        started_at = case
          when p_is_oldest_first or t.priority = v_claimed.begun_priority
          then case when t.seq <= v_claimed.begun_seq then v_now end
          when t.priority > v_claimed.begun_priority then v_now end
      where t.id = any (v_claimed.ids) and t.status_code = 'pending'
      returning t.id, t.performance_token, t.action, t.body, t.queue, t.priority,
        t.num_failures, t.num_tries, t.max_tries, t.action_deadline,
        coalesce(t.max_duration, p_max_duration), t.seq,
        case when t.unique_key is not null and t.unique_until_started
          then signalbox.free_started(t.id, v_now) else true end and t.started_at is not null,
        t.limit_key,
        case when t.limit_key is not null then v_slots[array_position(v_keys, t.limit_key)] end,
        case when t.limit_key is not null
          then coalesce(v_versions[array_position(v_keys, t.limit_key)], 0)
          when t.fair_key is not null then 0 end
    ), leased as (
      insert into signalbox.timer (due, kind, ids)
      select signalbox.lease_check(min(o.action_deadline), v_now), 'lease', array_agg(o.id)
      from owned o
      where o.action_deadline is not null
      having count(*) > 0
    )
    -- Rows as they are: to compute another column here was measured at 4 % of the whole.
    select * from owned o order by o.priority desc, o.seq;
  end if;

  if v_keyed is not null then
    perform signalbox.tend_keyed_lanes(v_keyed, v_limited,
      cardinality(v_keyed) >= v_max_keyed, v_now);
  end if;
end
$$;

-- The lanes that a caller names, but for those that are paused; null: none is left.
create or replace function signalbox.given_lanes(
  p_queues text[], p_actions text[], p_cursor_priorities smallint[], p_cursor_seqs bigint[]
) returns signalbox.claim_lane[] language plpgsql as $$
begin
  return (
    select array_agg((l.queue, l.action, '', null, null, l.priority, l.seq)::signalbox.claim_lane)
    from unnest(p_queues, p_actions, p_cursor_priorities, p_cursor_seqs)
      as l (queue, action, priority, seq)
    where not exists (
      select from signalbox.pause p
      where p.queue in (l.queue, '') and p.action in (l.action, '')));
end
$$;

-- Frees the unique key of a task that needed it until it started. Called row by row, so that it costs
-- others nothing.
create or replace function signalbox.free_started(
  p_id text, p_now timestamptz
) returns boolean language plpgsql as $$
begin
  perform signalbox.free_unique_keys(array[p_id], p_now);
  return true;
end
$$;

-- When to look at a lease again: at its deadline, but at least every five minutes, so that the rows of
-- timer that batches finished long ago leave behind do not pile up for the length of a long lease.
create or replace function signalbox.lease_check(
  p_deadline timestamptz, p_now timestamptz
) returns timestamptz language sql immutable as $$
  select least(p_deadline, p_now + interval '5 minutes')
$$;
