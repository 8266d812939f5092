-- remove_schedule: forgets a schedule; the tasks that it inserted stay. False: there is none of
-- this name.
--
-- Locks: the schedule's row.
create or replace function signalbox.remove_schedule(
  p_name text
) returns boolean language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  delete from signalbox.schedule s where s.name = p_name;
  return found;
end
$$;
