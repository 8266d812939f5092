-- put_schedule: creates a schedule, or replaces what it says. One that stands with the same rule
-- keeps its next due time, so that many processes may put it when they start; with another rule
-- it goes on from p_next_due. What it has fired, and whether it is paused, stays.
--
-- Locks: the schedule's row, unless nothing changes.
create or replace function signalbox.put_schedule(
  p_name text,
  p_rule jsonb,
  p_task jsonb,
  p_catch_up jsonb,
  p_may_overlap boolean,
  p_next_due timestamptz,
  p_now timestamptz default null
) returns void language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
begin
  -- On a conflict the row is locked even where nothing is updated, which would wait for one who
  -- fires.
  if exists (
    select from signalbox.schedule s
    where s.name = p_name and (s.rule, s.task, s.catch_up, s.may_overlap)
      = (p_rule, p_task, p_catch_up, p_may_overlap)
  ) then
    return;
  end if;

  insert into signalbox.schedule as s (
    name, rule, task, catch_up, may_overlap, next_due, created_at, updated_at
  ) values (p_name, p_rule, p_task, p_catch_up, p_may_overlap, p_next_due, v_now, v_now)
  on conflict (name) do update
  set rule = excluded.rule, task = excluded.task, catch_up = excluded.catch_up,
    may_overlap = excluded.may_overlap, updated_at = excluded.updated_at,
    next_due = case when s.rule = excluded.rule then s.next_due else excluded.next_due end;
end
$$;
