-- report_progress: keeps p_reports[i] as how far the work on task p_ids[i] is, an id at most once. The latest
-- stands; it is gone once the task is not in progress any more. Returns the ids whose token held.
--
-- It is kept within the result, of which an owner may have left one before: {"~progress": ...,
-- "~result": ...}. No index has the result, so that a report is a HOT update where the page has room.
-- updated_at stays: a task that only says how it goes has not changed.
--
-- Locks: the tasks, in id order.
create or replace function signalbox.report_progress(
  p_ids text[],
  p_tokens uuid[],
  p_reports jsonb[]
) returns setof text language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  return query
  with given as materialized (
    select * from unnest(p_ids, p_tokens, p_reports) as u (id, token, report)
  ), held as materialized (
    select t.id, g.report
    from given g join signalbox.task t on signalbox.found_by(t.id, g.id)
    where t.performance_token = g.token and g.report is not null
    order by g.id collate "C"
    for no key update of t
  )
  update signalbox.task t set result = signalbox.with_progress(t.result, h.report)
  from held h
  where signalbox.found_by(t.id, h.id)
  returning t.id;
end
$$;

create or replace function signalbox.has_progress(
  p_result jsonb
) returns boolean language sql immutable as $$
  select coalesce(jsonb_typeof(p_result) = 'object' and p_result ? '~progress', false)
$$;

create or replace function signalbox.with_progress(
  p_result jsonb, p_report jsonb
) returns jsonb language sql immutable as $$
  select case
    when p_result is null then jsonb_build_object('~progress', p_report)
    when signalbox.has_progress(p_result)
    then jsonb_set(p_result, '{~progress}', p_report)
    else jsonb_build_object('~progress', p_report, '~result', p_result) end
$$;

-- The result as it was before any report.
create or replace function signalbox.without_progress(
  p_result jsonb
) returns jsonb language sql immutable as $$
  select case when signalbox.has_progress(p_result) then p_result -> '~result' else p_result end
$$;
