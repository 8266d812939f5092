-- lock_schedule: takes the lock of a schedule for the rest of the transaction, and tells whether
-- the task that it inserted last has not ended. No row: there is none of this name.
--
-- Locks: the schedule's row.
create or replace function signalbox.lock_schedule(
  p_name text
) returns table (schedule signalbox.schedule, is_unfinished boolean) language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  select s.* into schedule from signalbox.schedule s where s.name = p_name for no key update;
  if found then
    is_unfinished := signalbox.is_unfinished((schedule).last_task_id);
    return next;
  end if;
end
$$;

-- A task that was deleted counts as ended. One that has ended is unfinished all the same while a
-- task of its id and '/~run' is: what it started and left behind. Called after the schedule's lock is taken, as a
-- statement of its own: with the snapshot of the one that waited, the task that another had just
-- inserted would not be seen.
create or replace function signalbox.is_unfinished(
  p_id text
) returns boolean language plpgsql as $$
begin
  return exists (
    select from signalbox.task t
    where t.id = any (array[p_id, p_id || '/~run']) and t.status_code < 'completed');
end
$$;
