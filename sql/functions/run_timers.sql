-- run_timers: does what is due: puts tasks whose start time or retry delay has come into their
-- lanes, takes back tasks whose deadline has lapsed, and forgets unique keys that were kept until
-- now. Bounded: at most 100 timers, about 2,000 tasks and 1,000 keys a call. own_tasks calls it, so
-- it need not be called where workers run. Returns how many timers it ran.
--
-- Locks: due rows of timer, their tasks, and the targets of lapsed tasks that have no tries left. A
-- task that is locked, or has a target that is, gets a timer that is due again at once: to wait for
-- a target while holding tasks that were pending until somebody owned them could be a deadlock with
-- update_tasks. Then keys of unique_key, skipping locked ones; limits, last.
create or replace function signalbox.run_timers(
  p_now timestamptz default null
) returns integer language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
  v_num_timers integer;
  v_starts text[];
  v_leases text[];
begin
  if not exists (select from signalbox.timer r where r.due <= v_now) then
    return 0;
  end if;

  with due as materialized (
    select r.ctid, r.due, cardinality(r.ids) as num_ids
    from signalbox.timer r
    where r.due <= v_now
    order by r.due limit 100
    for update skip locked
  ), bounded as (
    select d.ctid, sum(d.num_ids) over (order by d.due, d.ctid) - d.num_ids as num_before
    from due d
  ), run as (
    delete from signalbox.timer r
    where r.ctid = any (array(select b.ctid from bounded b where b.num_before < 2000))
    returning r.kind, r.ids
  )
  select (select count(*) from run),
    (select array_agg(distinct i.id) from run r cross join unnest(r.ids) as i (id)
      where r.kind = 'start'),
    (select array_agg(distinct i.id) from run r cross join unnest(r.ids) as i (id)
      where r.kind = 'lease')
  into v_num_timers, v_starts, v_leases;

  if v_starts is not null then
    perform signalbox.start_due(v_starts, v_now);
  end if;
  if v_leases is not null then
    perform signalbox.check_leases(v_leases, v_now);
  end if;
  -- A key kept too long does no harm, so that it need not have a timer of its own.
  delete from signalbox.unique_key k
  where k.key = any (array(
    select o.key from signalbox.unique_key o
    where o.is_released and o.kept_until <= v_now
    order by o.kept_until limit 1000
    for update skip locked));
  return v_num_timers;
end
$$;

-- Puts those of p_ids that are due into their lanes.
create or replace function signalbox.start_due(
  p_ids text[], p_now timestamptz
) returns void language plpgsql as $$
declare
  v_due text[];
  v_locked text[];
begin
  select array_agg(t.id) into v_due
  from signalbox.task t
  where t.id = any (p_ids) and t.status_code = 'pending'
    and t.num_signals = t.total_dependencies and t.due_at <= p_now;
  select array_agg(c.id) into v_locked
  from (
    select t.id from signalbox.task t
    where t.id = any (v_due) and t.status_code = 'pending'
      and t.num_signals = t.total_dependencies and t.due_at <= p_now
    for no key update skip locked
  ) as c;

  insert into signalbox.timer (due, kind, ids)
  select p_now, 'start', array_agg(d.id)
  from unnest(v_due) as d (id)
  where not d.id = any (coalesce(v_locked, '{}'))
  having count(*) > 0;

  update signalbox.task t set seq = nextval('signalbox.ready_seq') where t.id = any (v_locked);
  perform signalbox.enqueue(v_locked, p_now);
end
$$;

-- Lapses those of p_ids whose deadline has passed; looks at the rest of those in progress again
-- later.
create or replace function signalbox.check_leases(
  p_ids text[], p_now timestamptz
) returns void language plpgsql as $$
declare
  v_lapsed text[] := signalbox.lock_lapsed(p_ids, p_now);
begin
  insert into signalbox.timer (due, kind, ids)
  select signalbox.lease_check(greatest(min(t.action_deadline), p_now), p_now), 'lease',
    array_agg(t.id)
  from signalbox.task t
  where t.id = any (p_ids) and t.status_code = 'in-progress'
    and t.action_deadline is not null and not t.id = any (coalesce(v_lapsed, '{}'))
  having count(*) > 0;

  if v_lapsed is not null then
    perform signalbox.lapse(v_lapsed, p_now);
  end if;
end
$$;

-- Locks those of p_ids whose deadline has passed, and returns those that it could lock together with
-- all targets that they will signal.
--
-- In spite of SKIP LOCKED, Postgres waits for a row that one transaction has just changed and another
-- is changing again. That wait is given up, and nothing is locked: it may be a deadlock.
create or replace function signalbox.lock_lapsed(
  p_ids text[], p_now timestamptz
) returns text[] language plpgsql set lock_timeout = '10ms' as $$
declare
  v_ids text[];
  v_ending text[];
  v_targets text[];
  v_locked text[];
begin
  select array_agg(c.id) into v_ids
  from (
    select t.id from signalbox.task t
    where t.id = any (p_ids) and t.status_code = 'in-progress' and t.action_deadline <= p_now
    for no key update skip locked
  ) as c;
  select array_agg(distinct t.id), array_agg(distinct s.target) into v_ending, v_targets
  from signalbox.task t cross join unnest(t.to_signal_after) as s (target)
  where t.id = any (v_ids) and t.started_at is not null and t.num_tries >= t.max_tries;
  if v_targets is null then
    return v_ids;
  end if;

  select array_agg(c.id) into v_locked
  from (
    select t.id from signalbox.task t
    where t.id = any (v_targets) and t.num_signals < t.total_dependencies
    for no key update skip locked
  ) as c;
  -- A target that does not wait for signals gets none.
  select array_agg(t.id) into v_targets
  from signalbox.task t
  where t.id = any (v_targets) and t.num_signals < t.total_dependencies
    and not t.id = any (coalesce(v_locked, '{}'));
  if v_targets is not null then
    select array_agg(t.id) into v_ids
    from signalbox.task t
    where t.id = any (v_ids) and not (t.id = any (v_ending) and t.to_signal_after && v_targets);
  end if;
  return v_ids;
exception when lock_not_available then
  return null;
end
$$;

-- Takes back tasks in progress. The caller has locked them, and the targets of those that end. One
-- that has not begun was owned ahead by somebody who is gone: it gets its try back and returns to
-- its lane at once. The others failed a try.
create or replace function signalbox.lapse(
  p_ids text[], p_now timestamptz
) returns void language plpgsql as $$
declare
  v_failed text[];
  v_pending text[];
  v_targets text[];
  v_ended signalbox.status_code[];
  v_announced text[];
  v_limit_keys text[];
  v_holders uuid[];
begin
  select array_agg(s.key), array_agg(s.holder) into v_limit_keys, v_holders
  from signalbox.slots_of(p_ids) as s;

  with lapsed as (
    update signalbox.task t
    set status_code = case when t.started_at is not null and t.num_tries >= t.max_tries
        then 'aborted' else 'pending'::signalbox.status_code end,
      status = case when t.started_at is null
        then format('owned ahead by actor %s, which went away before it began', t.actor_id)
        else format('deadline of try %s by actor %s lapsed at %s', t.num_tries, t.actor_id,
          t.action_deadline) end,
      result = signalbox.without_progress(t.result),
      num_tries = t.num_tries - case when t.started_at is null then 1 else 0 end,
      performance_token = null, action_deadline = null, holder = null, updated_at = p_now,
      finished_at = case when t.started_at is not null and t.num_tries >= t.max_tries
        then p_now end,
      due_at = case
        when t.started_at is not null and (t.max_tries is null or t.num_tries < t.max_tries)
        then nullif(greatest(p_now, p_now + signalbox.retry_delay(t.retry_delay, t.retry_factor,
          t.retry_max_delay, t.num_tries, t.retry_jitter, random())), p_now) end,
      seq = nextval('signalbox.ready_seq')
    where t.id = any (p_ids)
    returning t.id, t.status_code, t.started_at, t.to_signal_after, t.watchers is not null
      or t.notify_channel_after is not null or t.unique_key is not null as is_announced
  ), signal as (
    select s.target, l.status_code
    from lapsed l cross join unnest(l.to_signal_after) as s (target)
    where l.status_code = 'aborted'
  )
  select array_agg(l.id) filter (where l.started_at is not null),
    array_agg(l.id) filter (where l.status_code = 'pending'),
    array_agg(l.id) filter (where l.status_code = 'aborted' and l.is_announced),
    (select array_agg(s.target) from signal s), (select array_agg(s.status_code) from signal s)
  into v_failed, v_pending, v_announced, v_targets, v_ended
  from lapsed l;

  if v_failed is not null then
    perform signalbox.keep_attempts(v_failed, v_failed, null, null, p_now);
  end if;
  perform signalbox.enqueue(v_pending, p_now);
  perform signalbox.after_end(v_targets, v_ended, v_announced, p_now);
  if v_limit_keys is not null then
    perform signalbox.release_slots(v_limit_keys, v_holders, p_now);
  end if;
end
$$;

-- The slots that tasks in progress take: what release_slots gets once they are in progress no more.
create or replace function signalbox.slots_of(
  p_ids text[]
) returns table (key text, holder uuid) language plpgsql as $$
begin
  return query
  select t.limit_key, t.holder from signalbox.task t
  where t.id = any (p_ids) and t.status_code = 'in-progress' and t.limit_key is not null;
end
$$;
