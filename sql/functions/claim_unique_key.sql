-- claim_unique_key: takes a unique key for a task that is about to be inserted in this transaction,
-- for p_kept_for at least; null: for as long as the task needs it. Returns null, or the id of the
-- task that stands in the way: an unfinished one, or one that has ended or been deleted and whose
-- key is kept.
--
-- Locks: the key, if it gets it. Waits for a transaction that takes or frees the same key.
create or replace function signalbox.claim_unique_key(
  p_key text,
  p_task_id text,
  p_kept_for interval default null,
  p_now timestamptz default null
) returns text language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
  v_holder text;
begin
  loop
    insert into signalbox.unique_key (key, task_id, kept_until)
    values (p_key, p_task_id, v_now + p_kept_for)
    on conflict (key) do nothing;
    if found then
      return null;
    end if;
    -- Not "on conflict do update": that locks the row also where it leaves it to its holder, who
    -- could not end then before this transaction does. Of several that take a key over, the first
    -- changes is_released, which the others look at again once they have waited for it.
    update signalbox.unique_key k
    set task_id = p_task_id, kept_until = v_now + p_kept_for, is_released = false
    where k.key = p_key and k.is_released and k.kept_until <= v_now;
    if found then
      return null;
    end if;
    -- The holder may end between these statements: then try again.
    select k.task_id into v_holder from signalbox.unique_key k where k.key = p_key;
    if found then
      return v_holder;
    end if;
  end loop;
end
$$;

-- Takes the unique keys of tasks, unless they hold them already. p_kept_from: from when unique_for
-- counts; null, for tasks that run again: a key that is still kept from the insert stays so,
-- another is not.
--
-- Locks: the keys, in their order: new ones, then those that are taken over. Raises SB006.
create or replace function signalbox.take_unique_keys(
  p_ids text[], p_kept_from timestamptz, p_now timestamptz
) returns void language plpgsql as $$
declare
  v_left text[];
  v_refused text[];
begin
  -- Twice: run_timers may forget a key between the insert that found it and the update that would
  -- take it over.
  for v_round in 1..2 loop
    with wanted as (
      select t.id, t.unique_key, t.unique_for from signalbox.task t
      where t.id = any (p_ids) and t.unique_key is not null
    ), taken as (
      insert into signalbox.unique_key (key, task_id, kept_until)
      select w.unique_key, w.id, p_kept_from + w.unique_for from wanted w order by w.unique_key
      on conflict (key) do nothing
      returning task_id
    )
    select array_agg(l.id) into v_left
    from (select w.id from wanted w except select k.task_id from taken k) as l;
    if v_left is null then
      return;
    end if;

    -- Locks none but released keys. Who ends a task locks none of those, so neither waits for the
    -- other.
    perform 1
    from signalbox.task t
    join signalbox.unique_key k on signalbox.found_by(k.key, t.unique_key)
    where t.id = any (v_left) and k.is_released and (k.task_id = t.id or k.kept_until <= p_now)
    order by k.key
    for update of k;
    update signalbox.unique_key k
    set task_id = t.id, is_released = false,
      kept_until = case when k.task_id = t.id then k.kept_until else p_kept_from + t.unique_for end
    from signalbox.task t
    where t.id = any (v_left) and signalbox.found_by(k.key, t.unique_key) and k.is_released
      and (k.task_id = t.id or k.kept_until <= p_now);
  end loop;

  select array_agg(distinct t.unique_key) into v_refused
  from signalbox.task t
  where t.id = any (v_left) and not exists (
    select from signalbox.unique_key k
    where signalbox.found_by(k.key, t.unique_key) and k.task_id = t.id and not k.is_released);
  if v_refused is not null then
    raise exception using errcode = 'SB006', message = 'unique keys are taken',
      detail = to_json(v_refused)::text;
  end if;
end
$$;

-- Frees the keys of tasks that need them no more, having ended or, with unique_until_started, being
-- owned. Those to be kept longer stay, marked as released, until run_timers forgets them or
-- somebody takes them over.
create or replace function signalbox.free_unique_keys(
  p_ids text[], p_now timestamptz
) returns void language plpgsql as $$
begin
  delete from signalbox.unique_key k
  using signalbox.task t
  where t.id = any (p_ids) and signalbox.found_by(k.key, t.unique_key) and k.task_id = t.id
    and not k.is_released and coalesce(k.kept_until <= p_now, true);
  update signalbox.unique_key k set is_released = true
  from signalbox.task t
  where t.id = any (p_ids) and signalbox.found_by(k.key, t.unique_key) and k.task_id = t.id
    and not k.is_released;
end
$$;
