-- next_schedule_due: the earliest due time after p_after of the schedules that are not paused,
-- among the names from p_from on and before p_end (null: all that follow); null: there is none.
-- Locks nothing.
create or replace function signalbox.next_schedule_due(
  p_from text default '',
  p_end text default null,
  p_after timestamptz default '-infinity'
) returns timestamptz language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  return (
    select s.next_due
    from signalbox.schedule s
    where not s.is_paused and s.next_due > p_after
      and s.name >= p_from and (p_end is null or s.name < p_end)
    order by s.next_due, s.name
    limit 1);
end
$$;
