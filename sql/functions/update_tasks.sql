-- update_tasks: changes pending tasks, all or none. Element i of every array is about task
-- p_ids[i], an id at most once: its body where p_set_bodies, its priority unless null, its start
-- time where p_set_start_afters (null: at once, even if a retry delay goes on). One that may be
-- owned and changes its place goes to the end of its new priority in its lane, or to a timer.
--
-- Locks: the tasks that are pending, in id order; rows of ready, skipping those that an owner is
-- taking: such a task counts as begun. A cancel, rerun or delete can deadlock with it: call it
-- again on SQLSTATE 40P01.
-- Raises: SB001 unknown tasks, SB007 tasks that have begun or ended. Their DETAIL is a JSON array
-- of the ids.
create or replace function signalbox.update_tasks(
  p_ids text[],
  p_bodies jsonb[],
  p_set_bodies boolean[],
  p_priorities smallint[],
  p_start_afters timestamptz[],
  p_set_start_afters boolean[],
  p_now timestamptz default null
) returns void language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
  v_moved text[];
begin
  perform signalbox.lock_pending(p_ids);

  -- What waits for signals has no place yet.
  select array_agg(t.id) into v_moved
  from unnest(p_ids, p_priorities, p_start_afters, p_set_start_afters)
    as g (id, priority, start_after, is_start_set)
  join signalbox.task t on signalbox.found_by(t.id, g.id)
  where t.num_signals = t.total_dependencies and case
    when t.due_at is null
    then g.priority <> t.priority or g.is_start_set and g.start_after > v_now
    else g.is_start_set end;
  perform signalbox.take_from_lanes(v_moved);

  update signalbox.task t
  set body = case when g.is_body_set then g.body else t.body end,
    priority = coalesce(g.priority, t.priority),
    start_after = case when g.is_start_set then g.start_after else t.start_after end,
    due_at = case when g.is_start_set
      then nullif(greatest(v_now, g.start_after), v_now) else t.due_at end,
    seq = case when t.id = any (v_moved) then nextval('signalbox.ready_seq') else t.seq end,
    updated_at = v_now
  from unnest(p_ids, p_bodies, p_set_bodies, p_priorities, p_start_afters, p_set_start_afters)
    as g (id, body, is_body_set, priority, start_after, is_start_set)
  where signalbox.found_by(t.id, g.id);

  if signalbox.enqueue(v_moved, v_now) then
    perform signalbox.settle_tasks(v_now);
  end if;
end
$$;

-- Locks pending tasks, in id order. Locks and raises: see update_tasks.
create or replace function signalbox.lock_pending(
  p_ids text[]
) returns void language plpgsql as $$
declare
  v_id text;
  v_ids text[];
begin
  -- None but pending ones: to wait for an owner while holding a target of its task could be a
  -- deadlock. One by one for the same reason: see add_dependencies. One that is pending again by
  -- the end of the loop is refused, since its row is not locked.
  for v_id in select g.id from unnest(p_ids) as g (id) order by g.id collate "C" loop
    perform 1 from signalbox.task t
    where t.id = v_id and t.status_code = 'pending'
    for no key update;
    if not found then
      v_ids := v_ids || v_id;
    end if;
  end loop;
  if v_ids is null then
    return;
  end if;
  perform signalbox.refuse_updates(v_ids);
end
$$;

-- Raises SB001 with those of p_ids that do not exist; if all do, SB007 with all.
create or replace function signalbox.refuse_updates(
  p_ids text[]
) returns void language plpgsql as $$
declare
  v_unknown text[];
begin
  select array_agg(g.id order by g.id collate "C") into v_unknown
  from unnest(p_ids) as g (id)
  where not exists (select from signalbox.task t where signalbox.found_by(t.id, g.id));
  if v_unknown is not null then
    raise exception using errcode = 'SB001', message = 'unknown tasks',
      detail = to_json(v_unknown)::text;
  end if;
  raise exception using errcode = 'SB007', message = 'tasks have begun or ended',
    detail = to_json(p_ids)::text;
end
$$;

-- Takes pending tasks, whose rows the caller has locked, out of their lanes. An owner that takes
-- one of them waits for the caller, who must not wait for it: raises SB007.
create or replace function signalbox.take_from_lanes(
  p_ids text[]
) returns void language plpgsql as $$
declare
  v_taken text[];
  v_begun text[];
begin
  with taken as (
    delete from signalbox.ready r
    where r.ctid = any (array(
      select c.ctid from signalbox.ready c
      where c.ctid = any (array(select p.place from signalbox.places_of(p_ids) as p (place)))
      for update skip locked))
    returning r.id
  )
  select array_agg(k.id) into v_taken from taken k;

  select array_agg(t.id order by t.id) into v_begun
  from signalbox.task t
  where t.id = any (p_ids) and t.due_at is null and not t.id = any (coalesce(v_taken, '{}'));
  if v_begun is not null then
    raise exception using errcode = 'SB007', message = 'tasks have begun or ended',
      detail = to_json(v_begun)::text;
  end if;
end
$$;
