-- return_tasks: gives a batch of owned tasks back.
--
-- Element i of every array is about task p_ids[i], an id at most once; where p_tokens or p_codes has one element, it is
-- about all: tasks that were claimed together have one token. p_codes: completed, aborted,
-- skipped (its owner found that it is not to be performed), or pending for another try, which becomes aborted when none is left. pending with p_start_afters
-- comes back then, or at once if that is past, and does not count as a try; else it counts, and comes
-- back after what the task's retry policy says, or p_retry_delays where it has none. A try that failed
-- is kept, with p_errors: see keep_attempts. completed with p_are_deleted: the task is deleted once
-- its signals are given, unless somebody watches it.
--
-- Returns a row for each task that did not become what was asked: status_code is null where the
-- token did not hold (nothing was changed), aborted where the tries were used up. No row: done as
-- asked.
--
-- Locks: the returned tasks, in id order (see give_back on how); then the tasks that they
-- signal, in id order; then what settle_tasks can lock without waiting; limits, last.
-- Raises: SB005 a code that a task cannot be returned with.
--
-- One plan fits every batch. Left to choose, Postgres takes planning for cheaper than it is and
-- plans each call anew: with that, owning and returning tasks one by one took the server 1.5 times
-- as long.
create or replace function signalbox.return_tasks(
  p_ids text[],
  p_tokens uuid[],
  p_codes signalbox.status_code[],
  p_statuses text[] default null,
  p_results jsonb[] default null,
  p_start_afters timestamptz[] default null,
  p_now timestamptz default null,
  p_errors text[] default null,
  p_retry_delays interval[] default null,
  p_are_deleted boolean[] default null
) returns table (id text, status_code signalbox.status_code)
language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
  v_tokens uuid[] := case when cardinality(p_tokens) = 1
    then array_fill(p_tokens[1], array[cardinality(p_ids)]) else p_tokens end;
  v_codes signalbox.status_code[] := case when cardinality(p_codes) = 1
    then array_fill(p_codes[1], array[cardinality(p_ids)]) else p_codes end;
  v_back record;
begin
  if not p_codes <@ '{completed,aborted,skipped,pending}'::signalbox.status_code[] then
    raise exception using errcode = 'SB005',
      message = 'a task is returned as completed, aborted, skipped or pending';
  end if;

  select * into v_back
  from signalbox.give_back(p_ids, v_tokens, v_codes, p_statuses, p_results, p_start_afters,
    p_retry_delays, p_are_deleted, v_now);

  if v_back.failed is not null then
    perform signalbox.keep_attempts(v_back.failed, p_ids, v_codes, p_errors, v_now);
  end if;
  perform signalbox.announce_ready(v_back.lanes, v_now);
  perform signalbox.after_end(v_back.targets, v_back.ended, v_back.announced, v_now);
  if v_back.deleted is not null then
    perform signalbox.erase(v_back.deleted);
  end if;
  if v_back.limit_keys is not null then
    perform signalbox.release_slots(v_back.limit_keys, v_back.holders, v_now);
  end if;

  if v_back.num_as_asked < cardinality(p_ids) then
    return query
    select g.id, r.code
    from unnest(p_ids, v_codes) as g (id, code)
    left join unnest(v_back.returned, v_back.codes) as r (id, code) on r.id = g.id
    where r.code is distinct from g.code;
  end if;
end
$$;

-- The large statement of return_tasks, in a function of its own, so that the settings that make its plan reach
-- no other: the update can only merge the sorted ids with a walk of the primary key, to those ids alone, and
-- locks in that order. Looked up one by one, tasks with neighbouring ids took the server 5 % longer, others
-- the same. On plans that break the order see signal_targets.
create or replace function signalbox.give_back(
  p_ids text[],
  p_tokens uuid[],
  p_codes signalbox.status_code[],
  p_statuses text[],
  p_results jsonb[],
  p_start_afters timestamptz[],
  p_retry_delays interval[],
  p_are_deleted boolean[],
  p_now timestamptz,
  out returned text[],
  out codes signalbox.status_code[],
  out num_as_asked integer,
  out announced text[],
  out lanes signalbox.lane_count[],
  out targets text[],
  out ended signalbox.status_code[],
  out failed text[],
  out deleted text[],
  out limit_keys text[],
  out holders uuid[]
) language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off
set enable_nestloop = off set enable_mergejoin = on set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
  with returned as (
    update signalbox.task t
    set status_code = signalbox.outcome(g.code, g.start_after, t.num_tries, t.max_tries),
      status = g.status, result = g.result, performance_token = null, action_deadline = null,
      holder = null, updated_at = p_now,
      finished_at = case
        when signalbox.outcome(g.code, g.start_after, t.num_tries, t.max_tries) <> 'pending'
        then p_now end,
      num_tries = t.num_tries - case when g.code = 'pending' and g.start_after is not null
        then 1 else 0 end,
      due_at = case when g.code = 'pending' then nullif(greatest(p_now, coalesce(g.start_after,
        p_now + coalesce(signalbox.retry_delay(t.retry_delay, t.retry_factor, t.retry_max_delay,
          t.num_tries, t.retry_jitter, random()), g.retry_delay))), p_now) end,
      seq = case when g.code = 'pending' then nextval('signalbox.ready_seq') else t.seq end
    from (
      select *
      from (
        select unnest(p_ids) as id, unnest(p_tokens) as token, unnest(p_codes) as code,
          unnest(p_statuses) as status, unnest(p_results) as result,
          unnest(p_start_afters) as start_after, unnest(p_retry_delays) as retry_delay,
          unnest(p_are_deleted) as is_deleted
      ) as u
      order by u.id collate "C"
    ) as g
    where t.id = g.id and t.id = any (p_ids) and t.performance_token = g.token
    returning t.id, t.status_code, g.code as asked, t.queue, t.action, t.priority, t.seq, t.due_at,
      t.fair_key, t.limit_key, t.to_signal_after, t.watchers is not null
        or t.notify_channel_after is not null or t.unique_key is not null as is_announced,
      g.code = 'aborted' or g.code = 'pending' and g.start_after is null as is_failed,
      g.is_deleted and g.code = 'completed' and t.watchers is null as is_deleted,
      -- As it was before this statement: the token tells that it is still the same.
      case when t.limit_key is not null
        then (select o.holder from signalbox.task o where o.id = t.id) end as holder
  ), requeued as (
    insert into signalbox.ready (queue, action, key, priority, seq, id)
    select r.queue, r.action, signalbox.lane_key(r.fair_key, r.limit_key), r.priority, r.seq, r.id
    from returned r where r.status_code = 'pending' and r.due_at is null
    returning queue, action, key
  ), delayed as (
    insert into signalbox.timer (due, kind, ids)
    select r.due_at, 'start', array_agg(r.id)
    from returned r where r.status_code = 'pending' and r.due_at is not null
    group by r.due_at
  ), signal as (
    select array_agg(s.target) as targets, array_agg(s.status_code) as ended
    from (
      select unnest(r.to_signal_after) as target, r.status_code
      from returned r where r.to_signal_after is not null and r.status_code <> 'pending'
    ) as s
  ), summary as (
    select array_agg(r.id) as returned, array_agg(r.status_code) as codes,
      count(*) filter (where r.status_code = r.asked) as num_as_asked,
      array_agg(r.id) filter (where r.is_announced and r.status_code <> 'pending') as announced,
      array_agg(r.id) filter (where r.is_failed) as failed,
      array_agg(r.id) filter (where r.is_deleted) as deleted,
      array_agg(r.limit_key) filter (where r.limit_key is not null) as limit_keys,
      array_agg(r.holder) filter (where r.limit_key is not null) as holders
    from returned r
  )
  select r.returned, r.codes, r.num_as_asked, r.announced,
    (select array_agg(l) from (
      select q.queue, q.action, q.key, count(*) from requeued q
      group by q.queue, q.action, q.key) as l),
    s.targets, s.ended, r.failed, r.deleted, r.limit_keys, r.holders
  into returned, codes, num_as_asked, announced, lanes, targets, ended, failed, deleted,
    limit_keys, holders
  from summary r cross join signal s;
end
$$;

-- What a task returned with p_code becomes: aborted instead of pending when that was its last try.
-- A snooze gives its try back, so it always has one left.
create or replace function signalbox.outcome(
  p_code signalbox.status_code, p_start_after timestamptz, p_num_tries integer, p_max_tries integer
) returns signalbox.status_code language sql immutable as $$
  select case
    when p_code = 'pending' and p_start_after is null and p_num_tries >= p_max_tries then 'aborted'
    else p_code end
$$;

-- How long a task stays away after its p_tries-th try; null when it has no retry policy. Never
-- longer than p_max_delay, nor than 100 years. p_random, from 0 to 1, says where it falls within
-- the jitter, which is applied to the delay as capped: else tasks that have reached the longest
-- delay would come back in step.
create or replace function signalbox.retry_delay(
  p_delay interval, p_factor double precision, p_max_delay interval, p_tries integer,
  p_jitter real, p_random double precision
) returns interval language sql immutable as $$
  select make_interval(secs => least(
    c.delay * (1 + coalesce(p_jitter, 0) * (2 * p_random - 1)), c.max_delay))
  from (
    select least(f.delay, f.max_delay) as delay, f.max_delay
    from (
      select extract(epoch from p_delay)::double precision
          * power(coalesce(p_factor, 1), least(greatest(p_tries, 1) - 1, 60)) as delay,
        least(extract(epoch from p_max_delay)::double precision, 3155760000) as max_delay
    ) as f
  ) as c
  where p_delay is not null
$$;
