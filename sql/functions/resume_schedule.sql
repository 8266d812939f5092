-- resume_schedule: a paused schedule goes on, from p_next_due, which its caller computed from its
-- rule, holding its lock (lock_schedule). Does nothing to one that is not paused.
--
-- Locks: the schedule's row.
create or replace function signalbox.resume_schedule(
  p_name text,
  p_next_due timestamptz,
  p_now timestamptz default null
) returns void language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  update signalbox.schedule s
  set is_paused = false, next_due = p_next_due, updated_at = coalesce(p_now, signalbox.now())
  where s.name = p_name and s.is_paused;
end
$$;
