-- clean_tasks: deletes tasks of whole runs that have ended, the next p_batch_size at most.
--
-- A run is a task and all that lie below it as a path, <id>/...; its root is the topmost task there
-- is on the path. Only runs whose root's id lies from p_next to before p_end are looked at. A run
-- goes when every task of it has ended, at least p_min_age ago, as one of p_codes (null: any), and
-- nothing that it has signalled is unfinished or has ended since: a rerun of that would want what
-- it depends on.
--
-- Begin with p_next at the start of the ids and p_run null, and go on with what was returned, until
-- is_done. Runs are taken in the order of their roots. A run of up to p_batch_size tasks goes in
-- one transaction; a larger one, p_run, in several: what lies below the root, in the order of the
-- ids, and then the root. Keys and workers that nobody needs any more go as well.
--
-- A rerun at the same moment:
--
--   cleaner C                                     rerun R, of a task of the run
--   1. finds that the run has ended               1. locks its tasks, in id order
--   2. locks the run's tasks that have ended,     2. makes them pending, commits
--      skipping locked ones
--   3. looks at the run again, in a statement of
--      its own: has it locked every task?
--   4. deletes them
--
-- Where R locks first, C misses a task in 3, which is locked or no longer ended, and leaves the run
-- alone. Where C locks first, R waits, and then finds no such task, as if it had come after. A task
-- that is inserted into the run is seen in 3, or committed later: then it stays, a run of its own.
-- Of a larger run the same holds for the root and for each batch: a rerun between two transactions
-- of C stops it at the root, if that runs again too, else at the first task that does; what went
-- before is gone. A crash leaves such a run with its root and part of its tasks: a run that has
-- ended, the rest of which goes the next time.
--
-- Locks: tasks that have ended, for update, skipping locked ones; rows of unique_key and worker
-- likewise.
create or replace function signalbox.clean_tasks(
  p_next text,
  p_end text,
  p_run text,
  p_batch_size integer,
  p_min_age interval,
  p_codes signalbox.status_code[] default null,
  p_now timestamptz default null,
  out num_deleted integer, out next text, out run text, out is_done boolean
) language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
  v_ended_by timestamptz := v_now - p_min_age;
  v_roots text[];
  v_are_alone boolean[];
  v_is_last boolean;
  v_first_left text;
begin
  if p_run is not null then
    select c.num_deleted, c.next, c.run into num_deleted, next, run
    from signalbox.clean_large_run(p_run, p_next, p_batch_size, v_ended_by, p_codes) as c;
    is_done := false;
    return;
  end if;

  perform signalbox.forget_unneeded(v_now);
  select r.roots, r.are_alone, r.next, r.is_last into v_roots, v_are_alone, next, v_is_last
  from signalbox.next_roots(p_next, p_end, p_batch_size, v_ended_by, p_codes) as r;
  select r.roots, r.first_left, r.large into v_roots, v_first_left, run
  from signalbox.runs_that_ended(v_roots, v_are_alone, p_batch_size, v_ended_by, p_codes) as r;
  num_deleted := signalbox.clean_runs(v_roots, v_ended_by, p_codes);
  next := coalesce(run || '/', v_first_left, next);
  is_done := v_is_last and v_first_left is null and run is null;
end
$$;

-- Of a page of p_max tasks from p_next on, the roots that have ended; are_alone: below which nothing lies, as
-- the page shows; next: from where to go on. What lies below a task that exists is passed over, also beyond
-- the page.
create or replace function signalbox.next_roots(
  p_next text, p_end text, p_max integer, p_ended_by timestamptz,
  p_codes signalbox.status_code[],
  out roots text[], out are_alone boolean[], out next text, out is_last boolean
) language plpgsql
set plan_cache_mode = force_custom_plan as $$
begin
  -- A plan for any p_end would read on to the end of the index: see list_tasks.
  with page as materialized (
    select t.id, left(t.id, -strpos(reverse(t.id), '/')) as parent,
      signalbox.is_cleanable(t.finished_at, t.status_code, p_ended_by, p_codes) as has_ended
    from signalbox.task t
    where t.id >= p_next and (p_end is null or t.id < p_end)
    order by t.id
    limit p_max
  ), above as materialized (
    -- Tasks side by side have the same paths above them: each is looked up once.
    select d.parent, a.path
    from (select distinct p.parent from page p) as d
    cross join lateral signalbox.path_and_above(d.parent) as a
  ), existing as materialized (
    select t.id from signalbox.task t where t.id = any (array(select distinct a.path from above a))
  ), placed as (
    select a.parent, min(e.id) as root
    from above a join existing e on e.id = a.path
    group by a.parent
  )
  select array_agg(p.id order by p.id) filter (where r.root is null and p.has_ended),
    array_agg(coalesce(p.following >= p.id || '0', false) order by p.id)
      filter (where r.root is null and p.has_ended),
    (array_agg(coalesce(r.root || '0', p.id || chr(1)) order by p.id desc))[1], count(*) < p_max
  into roots, are_alone, next, is_last
  from (select *, lead(o.id) over (order by o.id) as following from page o) as p
  left join placed r on r.parent = p.parent;
end
$$;

-- Of p_roots, in their order, those whose run has ended, as many as have p_max tasks together; p_are_alone:
-- which are runs of one task. first_left: where the next would make it more. large: the first, if it
-- alone has more; then it is the only one.
create or replace function signalbox.runs_that_ended(
  p_roots text[], p_are_alone boolean[], p_max integer, p_ended_by timestamptz,
  p_codes signalbox.status_code[], out roots text[], out first_left text, out large text
) language plpgsql as $$
begin
  with ended as (
    select r.id, r.n, s.size
    from unnest(p_roots, p_are_alone) with ordinality as r (id, is_alone, n)
    cross join lateral (
      select 1 + count(*) as size, coalesce(bool_and(m.has_ended), true) as has_ended
      from (
        select signalbox.is_cleanable(m.finished_at, m.status_code, p_ended_by, p_codes) as has_ended
        from signalbox.task m
        where not r.is_alone and m.id >= r.id || '/' and m.id < r.id || '0'
        limit p_max
      ) as m
    ) as s
    -- The rest of one that is larger is looked at only if what was counted has ended.
    where s.has_ended and (s.size <= p_max or not exists (
      select from signalbox.task m
      where m.id >= r.id || '/' and m.id < r.id || '0'
        and not signalbox.is_cleanable(m.finished_at, m.status_code, p_ended_by, p_codes)))
  ), summed as (
    select e.id, e.n, e.size, sum(e.size) over (order by e.n) as total from ended e
  )
  select array_agg(s.id) filter (where s.total <= p_max),
    (array_agg(s.id order by s.n) filter (where s.total > p_max))[1],
    min(s.id) filter (where s.total = s.size and s.size > p_max)
  into roots, first_left, large
  from summed s;

  if large is not null and signalbox.signals_unfinished(large, p_ended_by) then
    first_left := large || chr(1);
    large := null;
  end if;
end
$$;

-- Deletes runs, of which those that have changed since they were looked at are passed over. Returns
-- how many tasks.
create or replace function signalbox.clean_runs(
  p_roots text[], p_ended_by timestamptz, p_codes signalbox.status_code[]
) returns integer language plpgsql as $$
declare
  v_ids text[];
  v_roots text[];
  v_locked text[];
  v_spoiled text[];
begin
  select array_agg(m.id), array_agg(m.root) into v_ids, v_roots
  from signalbox.tasks_of_runs(p_roots) as m;
  if v_ids is null then
    return 0;
  end if;
  v_locked := signalbox.lock_cleanable(v_ids, p_ended_by, p_codes);

  select array_agg(distinct s.root) into v_spoiled
  from (
    select m.root
    from signalbox.tasks_of_runs(p_roots) as m
    left join unnest(v_locked) as l (id) on l.id = m.id
    where l.id is null
    union all
    select m.root
    from unnest(v_ids, v_roots) as m (id, root)
    join signalbox.task t on signalbox.found_by(t.id, m.id)
    cross join unnest(t.to_signal_after) as e (target)
    join signalbox.task o on signalbox.found_by(o.id, e.target)
    where not coalesce(o.finished_at <= p_ended_by, false)
  ) as s;

  if v_spoiled is not null then
    select array_agg(m.id) into v_locked
    from unnest(v_ids, v_roots) as m (id, root) join unnest(v_locked) as l (id) on l.id = m.id
    where not m.root = any (v_spoiled);
  end if;
  perform signalbox.erase(v_locked);
  return coalesce(cardinality(v_locked), 0);
end
$$;

-- Deletes the next tasks below the root of a large run, from p_next on; if there are none, the
-- root. run is null when there is no more to do: the run is gone, or it is left as it is, a task of
-- it having changed.
create or replace function signalbox.clean_large_run(
  p_run text, p_next text, p_max integer, p_ended_by timestamptz,
  p_codes signalbox.status_code[], out num_deleted integer, out next text, out run text
) language plpgsql as $$
declare
  v_ids text[];
begin
  num_deleted := 0;
  next := p_run || chr(1);
  run := null;
  if signalbox.lock_cleanable(array[p_run], p_ended_by, p_codes) is null then
    return;
  end if;

  select array_agg(m.id order by m.id) into v_ids
  from (
    select m.id from signalbox.task m
    where m.id >= p_next and m.id < p_run || '0'
    order by m.id limit p_max
  ) as m;
  if v_ids is not null then
    if cardinality(signalbox.lock_cleanable(v_ids, p_ended_by, p_codes)) = cardinality(v_ids) then
      next := v_ids[cardinality(v_ids)] || chr(1);
      run := p_run;
    else
      return;
    end if;
  elsif exists (
    select from signalbox.task m where m.id >= p_run || '/' and m.id < p_run || '0'
  ) then
    return;
  else
    v_ids := array[p_run];
  end if;
  perform signalbox.erase(v_ids);
  num_deleted := cardinality(v_ids);
end
$$;

-- Whether a task may be cleaned: it has ended by then, as one of p_codes.
create or replace function signalbox.is_cleanable(
  p_finished_at timestamptz, p_code signalbox.status_code, p_ended_by timestamptz,
  p_codes signalbox.status_code[]
) returns boolean language sql immutable as $$
  select coalesce(p_finished_at <= p_ended_by, false)
    and (p_codes is null or p_code = any (p_codes))
$$;

-- Locks those of p_ids that may be cleaned and that nobody else has locked, and returns them.
create or replace function signalbox.lock_cleanable(
  p_ids text[], p_ended_by timestamptz, p_codes signalbox.status_code[]
) returns text[] language plpgsql as $$
declare
  v_ids text[];
begin
  select array_agg(c.id) into v_ids
  from (
    select t.id from signalbox.task t
    where t.id = any (p_ids)
      and signalbox.is_cleanable(t.finished_at, t.status_code, p_ended_by, p_codes)
    order by t.id
    for update skip locked
  ) as c;
  return v_ids;
end
$$;

-- The tasks of runs, with the root of each.
create or replace function signalbox.tasks_of_runs(
  p_roots text[]
) returns table (root text, id text) language plpgsql rows 1000 as $$
begin
  return query
  select r.id, r.id from unnest(p_roots) as r (id)
  union all
  select r.id, m.id
  from unnest(p_roots) as r (id)
  cross join lateral (
    -- Ordered, so that the index is looked up for each root: see found_by.
    select t.id from signalbox.task t
    where t.id >= r.id || '/' and t.id < r.id || '0'
    order by t.id
  ) as m;
end
$$;

-- Whether a task outside of a run that a task of it lists is unfinished, or has ended later than
-- p_ended_by.
create or replace function signalbox.signals_unfinished(
  p_run text, p_ended_by timestamptz
) returns boolean language plpgsql as $$
begin
  return exists (
    select
    from (
      select t.to_signal_after from signalbox.task t where t.id = p_run
      union all
      select t.to_signal_after from signalbox.task t
      where t.id >= p_run || '/' and t.id < p_run || '0'
    ) as r
    cross join unnest(r.to_signal_after) as e (target)
    join signalbox.task o on signalbox.found_by(o.id, e.target)
    where e.target collate "C" not between p_run || '/' and p_run || '0'
      and not coalesce(o.finished_at <= p_ended_by, false));
end
$$;

-- A path and those above it: of a/b, a and a/b.
create or replace function signalbox.path_and_above(
  p_path text
) returns table (path text) language sql immutable as $$
  select array_to_string(s.steps[:n], '/')
  from (select string_to_array(p_path, '/') as steps) as s
  cross join generate_series(1, cardinality(s.steps)) as n
$$;

-- Deletes unique keys that were kept until now, and workers that have not been heard of for an
-- hour.
create or replace function signalbox.forget_unneeded(
  p_now timestamptz
) returns void language plpgsql as $$
begin
  delete from signalbox.unique_key k
  where k.key = any (array(
    select o.key from signalbox.unique_key o
    where o.is_released and o.kept_until <= p_now
    order by o.kept_until limit 1000
    for update skip locked));
  delete from signalbox.worker w
  where w.id = any (array(
    select o.id from signalbox.worker o
    where o.alive_until < p_now - interval '1 hour'
    for update skip locked));
end
$$;
