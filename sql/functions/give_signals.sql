-- give_signals: gives signals that are on their way: those to the next signal_batch_size() targets. Returns how
-- many targets that was. Every own_tasks makes one call.
--
-- A transaction that ends tasks gives their signals itself, unless there are more than five times as many: it would
-- hold locks on all of the targets for as long as it takes (12 us each), on one core, while none of them can be owned.
-- It leaves those signals in outgoing_signal then, in parts that may be given one by one and side by side. Whoever
-- performs tasks begins while the rest is being given.
--
-- A task that was deleted and inserted anew meanwhile, with the same id, must not get the signal meant for the old
-- one. Each part has a seq of its own, taken when it was left: targets with a later one are passed over. As long as
-- a task waits for signals, its seq stays what it was when it was inserted.
--
-- Locks: a row of outgoing_signal, skipping locked ones; then its targets, in id order.
create or replace function signalbox.give_signals(
  p_now timestamptz default null
) returns integer language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_part signalbox.outgoing_signal;
begin
  delete from signalbox.outgoing_signal o
  where o.seq = (
    select c.seq from signalbox.outgoing_signal c order by c.seq limit 1 for update skip locked)
  returning * into v_part;
  if not found then
    return 0;
  end if;
  perform signalbox.give_part(v_part, coalesce(p_now, signalbox.now()));
  return cardinality(v_part.targets);
end
$$;

-- How many targets get signals that are on their way in one transaction. 100,000 targets of one task were performed at
-- 40,200 a second with 1,000, at 38,800 with 5,000, at 37,700 with 10,000; in another run at 37,300 with 1,000, and at
-- 32,500 when all got theirs at once.
create or replace function signalbox.signal_batch_size() returns integer language sql immutable as $$
  select 1000
$$;

-- Whether signals to p_targets are too many to be given at once. A batch of small graphs ends with some thousands: to
-- leave these would only cost.
create or replace function signalbox.are_many(
  p_targets text[]
) returns boolean language sql immutable as $$
  select cardinality(p_targets) > 5 * signalbox.signal_batch_size()
$$;

-- Leaves signals, as signal_targets gets them, to be given in parts, in the order of the targets. As many sleepers are
-- woken as there are parts, whatever they sleep on: giving them may be all that there is to do.
create or replace function signalbox.leave_signals(
  p_targets text[], p_ended signalbox.status_code[], p_now timestamptz
) returns void language plpgsql as $$
declare
  v_num_parts bigint;
begin
  insert into signalbox.outgoing_signal (targets, ended)
  select array_agg(r.target), r.ended
  from (
    select s.target, s.ended, row_number() over (order by s.target collate "C") - 1 as place
    from (select unnest(p_targets) as target, unnest(p_ended) as ended) as s
  ) as r
  group by r.place / signalbox.signal_batch_size(), r.ended
  order by r.place / signalbox.signal_batch_size();
  get diagnostics v_num_parts = row_count;
  perform signalbox.wake_any(v_num_parts, p_now);
end
$$;

-- Gives one part.
create or replace function signalbox.give_part(
  p_part signalbox.outgoing_signal, p_now timestamptz
) returns void language plpgsql as $$
begin
  perform signalbox.signal_targets(p_part.targets,
    array_fill(p_part.ended, array[cardinality(p_part.targets)]), p_now, p_part.seq);
end
$$;

-- Gives, at once, those signals on their way that are in one part with a signal to one of p_targets: for rerun_tasks,
-- which takes back what was given.
create or replace function signalbox.give_signals_to(
  p_targets text[], p_now timestamptz
) returns void language plpgsql as $$
declare
  v_part signalbox.outgoing_signal;
begin
  for v_part in
    delete from signalbox.outgoing_signal o where o.targets && p_targets returning *
  loop
    perform signalbox.give_part(v_part, p_now);
  end loop;
end
$$;
