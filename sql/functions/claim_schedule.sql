-- claim_schedule: locks the first schedule due by p_now, in the order of (next_due, name), after
-- (p_after_due, p_after_name). Names from p_from on, before p_end (null: all that follow).
--
-- The caller decides what to insert, inserts it and calls advance_schedule, all in this
-- transaction: what it leaves undone, another claims. Schedules that others have locked are
-- passed over: they are being fired. is_unfinished: the task that it inserted last, or
-- what that started, has not ended: see lock_schedule. No row: none is due.
--
-- Locks: the schedule's row, skipping locked ones.
create or replace function signalbox.claim_schedule(
  p_from text default '',
  p_end text default null,
  p_after_due timestamptz default '-infinity',
  p_after_name text default '',
  p_now timestamptz default null
) returns table (schedule signalbox.schedule, is_unfinished boolean) language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
begin
  select s.* into schedule
  from signalbox.schedule s
  where not s.is_paused and s.next_due <= v_now
    and (s.next_due, s.name) > (p_after_due, p_after_name)
    and s.name >= p_from and (p_end is null or s.name < p_end)
  order by s.next_due, s.name
  limit 1
  for no key update skip locked;
  if found then
    is_unfinished := signalbox.is_unfinished((schedule).last_task_id);
    return next;
  end if;
end
$$;
