-- enqueue_tasks: the second half of an insert.
--
-- The rows of p_ids were inserted (by COPY or INSERT) in this transaction. p_targets are the tasks
-- inserted earlier that the new ones list in to_signal_after, and p_counts how many of the new ones
-- list each: that raises their totals, unless a total was given. Then the unique keys of p_keyed
-- are taken (null: those of p_ids), and what waits for nothing goes to its lane or timer. Ids of
-- rows that wait for signals may be left out of p_ids. A large insert may call it many times.
--
-- Locks: the targets that wait, in id order; then keys of unique_key, which may wait for another
-- insert of the same key: see take_unique_keys.
-- Raises: SB002 unknown target, SB003 target no longer waits, SB006 unique key taken. Their DETAIL
-- is a JSON array of the ids or keys.
create or replace function signalbox.enqueue_tasks(
  p_ids text[],
  p_targets text[] default '{}',
  p_counts integer[] default '{}',
  p_keyed text[] default null,
  p_now timestamptz default null
) returns void language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
begin
  if cardinality(p_targets) > 0 then
    perform signalbox.add_dependencies(p_targets, p_counts);
  end if;
  if p_keyed is null or cardinality(p_keyed) > 0 then
    perform signalbox.take_unique_keys(coalesce(p_keyed, p_ids), v_now, v_now);
  end if;
  if cardinality(p_ids) > 0 and signalbox.enqueue(p_ids, v_now) then
    perform signalbox.settle_tasks(v_now);
  end if;
end
$$;

-- The totals of tasks that were inserted in this transaction before it was known how many signals they wait for.
-- Nobody else sees them, nor those that signal them.
create or replace function signalbox.set_totals(
  p_ids text[], p_totals integer[]
) returns void language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  update signalbox.task t set total_dependencies = g.total
  from unnest(p_ids, p_totals) as g (id, total)
  where signalbox.found_by(t.id, g.id);
end
$$;

-- Raises the totals of tasks inserted earlier. Locks and raises: see enqueue_tasks.
create or replace function signalbox.add_dependencies(
  p_targets text[], p_counts integer[]
) returns void language plpgsql as $$
declare
  v_id text;
begin
  -- One by one, each with a snapshot of its own. One statement for all would, while it waits for
  -- the first, grow too old to see which of the rest have begun, and wait for their owners: that
  -- could be a deadlock.
  for v_id in select g.id from unnest(p_targets) as g (id) order by g.id collate "C" loop
    perform 1 from signalbox.task t
    where t.id = v_id and t.status_code = 'pending' and t.num_signals < t.total_dependencies
    for no key update;
    if not found then
      perform signalbox.refuse_targets(p_targets, v_id);
    end if;
  end loop;

  update signalbox.task t set total_dependencies = t.total_dependencies + g.count
  from unnest(p_targets, p_counts) as g (id, count)
  where signalbox.found_by(t.id, g.id) and not t.total_is_given;
end
$$;

-- Raises SB002 with those of p_targets that do not exist; if all do, SB003 with p_id, which was
-- found not to wait for a signal, and the others that do not.
create or replace function signalbox.refuse_targets(
  p_targets text[], p_id text
) returns void language plpgsql as $$
declare
  v_ids text[];
begin
  select array_agg(g.id order by g.id) into v_ids
  from unnest(p_targets) as g (id)
  where not exists (select from signalbox.task t where signalbox.found_by(t.id, g.id));
  if v_ids is not null then
    raise exception using errcode = 'SB002', message = 'unknown targets',
      detail = to_json(v_ids)::text;
  end if;

  select array_agg(t.id order by t.id) into v_ids
  from signalbox.task t
  where t.id = any (p_targets)
    and (t.id = p_id or t.status_code <> 'pending' or t.num_signals = t.total_dependencies);
  raise exception using errcode = 'SB003', message = 'targets no longer wait for signals',
    detail = to_json(v_ids)::text;
end
$$;
