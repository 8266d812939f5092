-- explain_task: what a task waits for, as the client's TaskStanding: {"id", "statusCode",
-- "reasons"}. Times are milliseconds since 1970. Of a task that waits for signals it reads what lies around
-- it, and the whole table where those who will signal it are not all there (it takes 1.3 us a row then, 4 us if it
-- finds some elsewhere).
--
-- All of it in one snapshot: the function is stable. Locks nothing. Raises: SB001 there is no such
-- task.
create or replace function signalbox.explain_task(
  p_id text,
  p_now timestamptz default null
) returns jsonb language plpgsql stable
set jit = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
  v_task signalbox.task;
  v_reasons jsonb;
begin
  select * into v_task from signalbox.task t where t.id = p_id;
  if not found then
    raise exception using errcode = 'SB001', message = 'there is no such task',
      detail = to_json(array[p_id])::text;
  end if;

  v_reasons := case
    when v_task.status_code = 'pending' and v_task.num_signals < v_task.total_dependencies
    then signalbox.explain_signals(v_task, v_now) || signalbox.explain_start_time(v_task, v_now)
    else signalbox.explain_itself(v_task, v_now) end;
  return signalbox.standing(v_task, v_reasons);
end
$$;

-- Milliseconds since 1970.
create or replace function signalbox.to_ms(
  p_time timestamptz
) returns numeric language sql immutable as $$
  select floor(extract(epoch from p_time) * 1000)
$$;

-- A task with its reasons, as a TaskStanding.
create or replace function signalbox.standing(
  p_task signalbox.task, p_reasons jsonb
) returns jsonb language sql immutable as $$
  select jsonb_build_object('id', (p_task).id, 'statusCode', (p_task).status_code,
    'reasons', p_reasons)
$$;

-- The engine is to act next: its own calls do, at the latest the next claim.
create or replace function signalbox.engine_reason() returns jsonb language sql immutable as $$
  select jsonb_build_array(jsonb_build_object('kind', 'engine'))
$$;

-- Why a task waits that does not wait for signals, or how it ended.
create or replace function signalbox.explain_itself(
  p_task signalbox.task, p_now timestamptz
) returns jsonb language plpgsql stable as $$
begin
  return case
    when p_task.status_code >= 'completed' then jsonb_build_array(jsonb_build_object(
      'kind', 'ended', 'statusCode', p_task.status_code, 'status', p_task.status))
    when p_task.status_code = 'in-progress' then jsonb_build_array(jsonb_build_object(
      'kind', 'owned', 'actorId', p_task.actor_id,
      'deadline', signalbox.to_ms(p_task.action_deadline),
      'isBegun', p_task.started_at is not null))
    when p_task.due_at > p_now then signalbox.explain_start_time(p_task, p_now)
    else signalbox.explain_ready(p_task, p_now) end;
end
$$;

-- Whether it is not to start yet.
create or replace function signalbox.explain_start_time(
  p_task signalbox.task, p_now timestamptz
) returns jsonb language sql immutable as $$
  select case when (p_task).due_at > p_now then jsonb_build_array(jsonb_build_object(
      'kind', 'start-time', 'at', signalbox.to_ms((p_task).due_at),
      'isRetry', (p_task).num_tries > 0))
    else '[]' end
$$;

-- Why a task that could be owned now is not: what stands in the way of its lane, then its place in
-- it. One whose time has come and that is in no lane yet, and one that is not for an actor, is the
-- engine's.
create or replace function signalbox.explain_ready(
  p_task signalbox.task, p_now timestamptz
) returns jsonb language plpgsql stable as $$
declare
  v_key text := signalbox.lane_key(p_task.fair_key, p_task.limit_key);
begin
  if p_task.action is null or not signalbox.may_run(p_task.run_when, p_task.num_signals,
    p_task.num_failures, p_task.num_skipped)
  then
    return signalbox.engine_reason();
  end if;
  return signalbox.explain_lane(p_task, p_now)
    || signalbox.explain_limits(p_task.limit_key, p_now)
    || case when p_task.due_at is not null then signalbox.engine_reason()
      else jsonb_build_array(jsonb_build_object('kind', 'ready', 'numBefore', (
        select count(*) from signalbox.ready r
        where r.lane = signalbox.lane_hash(p_task.queue, p_task.action, v_key)
          and r.queue = p_task.queue and r.action = p_task.action and r.key = v_key
          and (r.priority > p_task.priority
            or r.priority = p_task.priority and r.seq < p_task.seq)))) end;
end
$$;

-- Pauses of a task's lane, and whether nobody works there.
create or replace function signalbox.explain_lane(
  p_task signalbox.task, p_now timestamptz
) returns jsonb language plpgsql stable as $$
begin
  return coalesce((
    select jsonb_agg(jsonb_build_object('kind', 'paused', 'queue', nullif(p.queue, ''),
      'action', nullif(p.action, ''), 'since', signalbox.to_ms(p.since))
      order by p.since, p.queue, p.action)
    from signalbox.pause p
    where p.queue in (p_task.queue, '') and p.action in (p_task.action, '')
  ), '[]') || case
    when signalbox.has_worker(p_task.queue, p_task.action, p_now) then '[]'
    else jsonb_build_array(jsonb_build_object(
      'kind', 'no-worker', 'queue', p_task.queue, 'action', p_task.action)) end;
end
$$;

-- Limits of a key that are reached.
create or replace function signalbox.explain_limits(
  p_key text, p_now timestamptz
) returns jsonb language plpgsql stable as $$
begin
  return coalesce((
    select jsonb_agg(r.reason order by r.n)
    from signalbox.limit_states(array[p_key], null, p_now) as s
    join signalbox.limit_key k on k.key = s.key
    cross join lateral (values
      (1, s.free <= 0, jsonb_build_object('kind', 'limit', 'key', k.key,
        'limit', k.max_in_progress, 'inProgress', k.max_in_progress - s.free)),
      (2, s.rate_opens_at > p_now, jsonb_build_object('kind', 'rate', 'key', k.key,
        'rate', jsonb_build_object('count', k.rate_count,
          'intervalMs', extract(epoch from k.rate_interval) * 1000),
        'until', signalbox.to_ms(s.rate_opens_at)))
    ) as r (n, applies, reason)
    where r.applies
  ), '[]');
end
$$;

-- Which signals a task waits for: from unfinished tasks, with those furthest up, from ended ones whose signals the
-- engine has still to give, and from outside.
--
-- They are looked for below the task, where the nodes of a run are, then in its directory and in those above that are
-- not large, until each task upstream has found a sender for each signal that it waits for. In the whole table only
-- if there is a sender elsewhere.
create or replace function signalbox.explain_signals(
  p_task signalbox.task, p_now timestamptz
) returns jsonb language plpgsql stable as $$
declare
  v_missing integer := p_task.total_dependencies - p_task.num_signals;
  v_directory text := p_task.id;
  v_above text;
  v_found record;
begin
  loop
    select * into v_found from signalbox.look_upstream(p_task.id, v_missing, v_directory);
    exit when v_directory is null or v_found.unmet is null;
    v_above := substring(v_directory from '^(.*)/');
    if v_above is null or signalbox.is_large(v_above) then
      exit when not signalbox.is_signalled_from_elsewhere(v_found.unmet, v_directory);
      v_above := null;
    end if;
    v_directory := v_above;
  end loop;

  return case when v_found.senders is null then '[]' else jsonb_build_array(jsonb_build_object(
      'kind', 'signals', 'missing', least(v_missing, v_found.num_senders),
      'from', v_found.senders,
      'roots', signalbox.explain_roots(v_found.roots, v_found.outside, p_now))) end
    || case when v_found.num_coming = 0 then '[]' else signalbox.engine_reason() end
    || signalbox.explain_outside(v_missing - v_found.num_senders - v_found.num_coming);
end
$$;

-- Who will signal a task that waits for p_missing signals, among the unfinished tasks below a directory, or among all
-- where that is null: how many there are and the first 20; how many of its signals are on their way; the first 20 of
-- those furthest up, and how many signals each of these waits for that none of them will give; all that wait for such
-- signals, null if none does.
--
-- The edges are read once. upstream begins with a function that claims to give many rows, so that each step of
-- the recursion looks its few tasks up in a hash of the edges, made once, instead of hashing the few and reading
-- all edges. Union drops what was found before, so that a circle ends it.
create or replace function signalbox.look_upstream(
  p_id text, p_missing integer, p_directory text,
  out num_senders integer, out senders text[], out num_coming integer, out roots text[],
  out outside integer[], out unmet text[]
) language plpgsql stable
set enable_nestloop = off set enable_mergejoin = off set work_mem = '256MB' as $$
begin
  with recursive edge as materialized (
    select e.id collate "C" as id, e.target collate "C" as target, e.missing
    from signalbox.open_edges(p_directory) as e
  ), upstream (id, missing) as (
    select g.id collate "C", p_missing from signalbox.as_if_many(p_id) as g (id)
    union
    select e.id, e.missing from upstream u join edge e on e.target = u.id
  ), sender as materialized (
    select e.target, count(*)::integer as count from edge e group by e.target
  ), coming as materialized (
    select s.target collate "C" as target, count(*)::integer as count
    from signalbox.outgoing_signal o cross join unnest(o.targets) as s (target)
    group by s.target
  ), known as materialized (
    select u.id, u.missing - coalesce(c.count, 0) as missing,
      u.missing - coalesce(c.count, 0) - coalesce(s.count, 0) as outside
    from upstream u left join sender s on s.target = u.id left join coming c on c.target = u.id
  ), root as (
    select k.id, k.outside
    from known k
    where k.id <> p_id and (k.missing <= 0 or k.outside > 0)
    order by k.id limit 20
  ), direct as (
    select distinct e.id from edge e where e.target = p_id order by e.id limit 20
  )
  select coalesce((select s.count from sender s where s.target = p_id), 0),
    (select array_agg(d.id order by d.id) from direct d),
    coalesce((select c.count from coming c where c.target = p_id), 0),
    (select array_agg(r.id order by r.id) from root r),
    (select array_agg(r.outside order by r.id) from root r),
    (select array_agg(k.id) from known k where k.outside > 0)
  into num_senders, senders, num_coming, roots, outside, unmet;
end
$$;

-- Whether reading the edges of all tasks below a directory takes long.
create or replace function signalbox.is_large(
  p_directory text
) returns boolean language plpgsql stable
set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  return 100000 <= (select count(*) from (
    select from signalbox.task t
    where t.id >= p_directory || '/' and t.id < p_directory || '0' limit 100000) as t);
end
$$;

-- Whether an unfinished task that is not below the directory will signal one of p_ids.
create or replace function signalbox.is_signalled_from_elsewhere(
  p_ids text[], p_directory text
) returns boolean language plpgsql stable as $$
begin
  return exists (
    select from signalbox.task t cross join unnest(t.to_signal_after) as e (target)
    join unnest(p_ids) as g (id) on g.id = e.target
    where t.status_code < 'completed'
      and (t.id < p_directory || '/' or t.id >= p_directory || '0'));
end
$$;

-- The edges from unfinished tasks, a row each, with how many signals those wait for themselves: of tasks below a
-- directory, or of all, which is another plan.
create or replace function signalbox.open_edges(
  p_directory text
) returns table (id text, target text, missing integer)
language plpgsql stable rows 10 as $$
#variable_conflict use_column
begin
  if p_directory is null then
    return query
    select t.id::text, e.target, t.total_dependencies - t.num_signals
    from signalbox.task t cross join unnest(t.to_signal_after) as e (target)
    where t.status_code < 'completed';
  else
    return query
    select t.id::text, e.target, t.total_dependencies - t.num_signals
    from signalbox.task t cross join unnest(t.to_signal_after) as e (target)
    where t.id >= p_directory || '/' and t.id < p_directory || '0' and t.status_code < 'completed';
  end if;
end
$$;

-- The id as a row of what the planner takes for many, as against open_edges. Many enough, and no more: for a hundred
-- million rows it made room first, which took a second.
create or replace function signalbox.as_if_many(
  p_id text
) returns setof text language plpgsql immutable rows 100 as $$
begin
  return next p_id;
end
$$;

-- How roots stand: element i of p_outside is how many signals p_ids[i] waits for that no task will
-- give. One that misses others waits for the engine to give them.
create or replace function signalbox.explain_roots(
  p_ids text[], p_outside integer[], p_now timestamptz
) returns jsonb language plpgsql stable as $$
begin
  return coalesce((
    select jsonb_agg(signalbox.standing(t, case
      when r.outside > 0 then signalbox.explain_outside(r.outside)
      when t.num_signals < t.total_dependencies then signalbox.engine_reason()
      else signalbox.explain_itself(t, p_now) end) order by r.id collate "C")
    from unnest(p_ids, p_outside) as r (id, outside)
    cross join lateral (select o.* from signalbox.task o where o.id = r.id limit 1) as t
  ), '[]');
end
$$;

-- Signals that no unfinished task will give.
create or replace function signalbox.explain_outside(
  p_missing integer
) returns jsonb language sql immutable as $$
  select case when p_missing > 0 then jsonb_build_array(
      jsonb_build_object('kind', 'outside-signals', 'missing', p_missing))
    else '[]' end
$$;
