-- pause_schedule: it fires no more until resume_schedule. False: there is none of this name.
--
-- Locks: the schedule's row.
create or replace function signalbox.pause_schedule(
  p_name text,
  p_now timestamptz default null
) returns boolean language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
begin
  update signalbox.schedule s
  set is_paused = true, updated_at = case when s.is_paused then s.updated_at else v_now end
  where s.name = p_name;
  return found;
end
$$;
