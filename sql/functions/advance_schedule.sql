-- advance_schedule: says what became of due times, in the transaction that claimed or locked the
-- schedule. Null for p_last_due or p_last_task_id leaves what stands; null for p_error says that
-- there was none.
--
-- Locks: the schedule's row, which the caller holds.
create or replace function signalbox.advance_schedule(
  p_name text,
  p_next_due timestamptz,
  p_last_due timestamptz,
  p_last_task_id text,
  p_num_fired bigint,
  p_num_skipped bigint default 0,
  p_error text default null
) returns void language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  update signalbox.schedule s
  set next_due = p_next_due,
    last_due = coalesce(p_last_due, s.last_due),
    last_task_id = coalesce(p_last_task_id, s.last_task_id),
    num_fired = s.num_fired + p_num_fired,
    num_skipped = s.num_skipped + p_num_skipped,
    last_error = p_error
  where s.name = p_name;
end
$$;
