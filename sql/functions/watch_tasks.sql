-- watch_tasks: asks to be told on p_channel when tasks end, and tells which have ended already.
--
-- Returns a row for each id: state ended with how it ended, watched, missing, or busy: somebody had the
-- row locked; ask again. Because the channel is added under the row lock that every end takes, an end is
-- either seen here or notified later. Notifications hold a JSON array of ids.
--
-- Due timers run and the engine's lane is settled first, so that what needs no worker ends without one: whoever
-- waits asks again every few seconds.
--
-- Locks: what run_timers and settle_tasks lock; then the tasks that have not ended, skipping locked ones.
create or replace function signalbox.watch_tasks(
  p_ids text[],
  p_channel text
) returns table (
  id text, state text, status_code signalbox.status_code, status text, result jsonb
) language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_locked text[];
begin
  perform signalbox.run_timers();
  perform signalbox.settle_tasks();
  v_locked := signalbox.lock_watchable(p_ids);

  update signalbox.task t set watchers = t.watchers || p_channel
  where t.id = any (v_locked) and not coalesce(p_channel = any (t.watchers), false);

  return query
  select g.id, case
      when t.id is null then 'missing'
      when t.status_code >= 'completed' then 'ended'
      when t.id = any (v_locked) then 'watched'
      else 'busy' end,
    t.status_code, t.status, t.result
  from unnest(p_ids) as g (id)
  left join signalbox.task t on signalbox.found_by(t.id, g.id);
end
$$;

-- Locks those of p_ids that have not ended and that nobody else has locked, and returns them; null also
-- when Postgres waits for one in spite of SKIP LOCKED: see lock_lapsed. The order, that of return_tasks,
-- makes this rare.
create or replace function signalbox.lock_watchable(
  p_ids text[]
) returns text[] language plpgsql set lock_timeout = '10ms' as $$
declare
  v_locked text[];
begin
  select array_agg(c.id) into v_locked
  from (
    select t.id from signalbox.task t
    where t.id = any (p_ids) and t.status_code < 'completed'
    order by t.status_code desc, t.id
    for no key update skip locked
  ) as c;
  return v_locked;
exception when lock_not_available then
  return null;
end
$$;
