-- announce_worker: says that a worker is there, and for how long at least; said again, that it
-- still is. Only for those who look: nothing depends on it.
create or replace function signalbox.announce_worker(
  p_id uuid,
  p_actor_id text,
  p_queues text[],
  p_actions text[],
  p_for interval,
  p_now timestamptz default null
) returns void language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
begin
  insert into signalbox.worker (id, actor_id, queues, actions, started_at, alive_until)
  values (p_id, p_actor_id, p_queues, p_actions, v_now, v_now + p_for)
  on conflict (id) do update set actor_id = excluded.actor_id, queues = excluded.queues,
    actions = excluded.actions, alive_until = excluded.alive_until;
end
$$;

-- Says that a worker is gone.
create or replace function signalbox.retire_worker(
  p_id uuid
) returns void language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  delete from signalbox.worker w where w.id = p_id;
end
$$;

-- The workers that are there, the longest first. Locks nothing.
create or replace function signalbox.list_workers(
  p_now timestamptz default null
) returns setof signalbox.worker language plpgsql
set jit = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
begin
  return query
  select w.* from signalbox.worker w where w.alive_until > v_now order by w.started_at, w.id;
end
$$;

-- Whether somebody who is there performs an action in a queue.
create or replace function signalbox.has_worker(
  p_queue text, p_action text, p_now timestamptz
) returns boolean language plpgsql stable as $$
begin
  return exists (
    select from signalbox.worker w
    where w.alive_until > p_now and p_queue = any (w.queues) and p_action = any (w.actions));
end
$$;
