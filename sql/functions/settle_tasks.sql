-- settle_tasks: empties the engine's lane: completes milestones, skips tasks whose run_when does
-- not hold.
--
-- What it ends may make others ready for the engine's lane; it goes on with those, up to 20 rounds
-- of 500. What is left over, or could not be had because somebody else had it locked, stays in the
-- lane for the next call: every own_tasks makes one. Returns how many it ended.
--
-- Locks: rows of ready, their tasks and those tasks' targets: skips, round by round, a task when
-- any of these is locked. It never waits, so any verb may call it while holding locks of its own.
create or replace function signalbox.settle_tasks(
  p_now timestamptz default null
) returns integer language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
  v_settled integer;
  v_total integer := 0;
begin
  for v_round in 1..20 loop
    v_settled := signalbox.settle_round(500, v_now);
    exit when v_settled = 0;
    v_total := v_total + v_settled;
  end loop;
  return v_total;
end
$$;

-- One round. Returns how many tasks it ended.
create or replace function signalbox.settle_round(
  p_max integer, p_now timestamptz
) returns integer language plpgsql as $$
declare
  v_ids text[];
  v_targets text[];
  v_ended signalbox.status_code[];
  v_announced text[];
begin
  v_ids := signalbox.lock_settleable(p_max);
  if v_ids is null then
    return 0;
  end if;

  with settled as (
    update signalbox.task t
    set status_code = case when t.action is null then 'completed'
        else 'skipped'::signalbox.status_code end,
      status = case when t.action is not null then format(
        '%s does not hold: of %s dependencies %s failed, %s were skipped',
        t.run_when, t.total_dependencies, t.num_failures, t.num_skipped) end,
      finished_at = p_now, updated_at = p_now
    where t.id = any (v_ids)
    returning t.id, t.status_code, t.to_signal_after, t.watchers is not null
      or t.notify_channel_after is not null or t.unique_key is not null as is_announced
  ), signal as (
    select s.target, t.status_code
    from settled t cross join unnest(t.to_signal_after) as s (target)
  )
  select array_agg(t.id) filter (where t.is_announced),
    (select array_agg(s.target) from signal s), (select array_agg(s.status_code) from signal s)
  into v_announced, v_targets, v_ended
  from settled t;

  if v_targets is not null then
    perform signalbox.signal_targets(v_targets, v_ended, p_now);
  end if;
  if v_announced is not null then
    perform signalbox.announce_ended(v_announced, p_now);
  end if;
  return cardinality(v_ids);
end
$$;

-- Takes out of the engine's lane up to p_max tasks that it could lock together with all of their
-- targets that still wait, and returns their ids.
create or replace function signalbox.lock_settleable(
  p_max integer
) returns text[] language plpgsql as $$
declare
  v_ids text[];
  v_targets text[];
  v_locked text[];
begin
  select array_agg(c.id) into v_ids
  from (
    select r.id from signalbox.ready r
    where r.lane = signalbox.lane_hash('', '', '')
      and r.queue = '' and r.action = '' and r.key = ''
    order by r.priority desc, r.seq limit p_max
    for update skip locked
  ) as c;
  if v_ids is null then
    return null;
  end if;

  select array_agg(c.id) into v_ids
  from (
    select t.id from signalbox.task t where t.id = any (v_ids) for no key update skip locked
  ) as c;
  select array_agg(distinct s.target) into v_targets
  from signalbox.task t cross join unnest(t.to_signal_after) as s (target)
  where t.id = any (v_ids);

  if v_targets is not null then
    select array_agg(c.id) into v_locked
    from (
      select t.id from signalbox.task t where t.id = any (v_targets) for no key update skip locked
    ) as c;
    -- A target that does not exist any more is nobody's to lock.
    select array_agg(distinct t.id) into v_targets
    from signalbox.task t
    where t.id = any (v_targets) and not t.id = any (coalesce(v_locked, '{}'));
    if v_targets is not null then
      select array_agg(t.id) into v_ids
      from signalbox.task t
      where t.id = any (v_ids) and not coalesce(t.to_signal_after && v_targets, false);
    end if;
  end if;

  perform signalbox.leave_ready(v_ids);
  return v_ids;
end
$$;
