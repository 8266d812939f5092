-- get_outcomes: how these tasks stand or ended, in no order; ids that do not exist have no row. Without
-- p_with_results, the results of completed tasks are left out: they may be large. Locks nothing.
create or replace function signalbox.get_outcomes(
  p_ids text[],
  p_with_results boolean default true
) returns table (id text, status_code signalbox.status_code, status text, result jsonb)
language plpgsql
set jit = off set enable_seqscan = off as $$
#variable_conflict use_column
begin
  return query
  select t.id, t.status_code, t.status,
    case when p_with_results or t.status_code <> 'completed' then t.result end
  from signalbox.task t
  where t.id = any (p_ids);
end
$$;

-- The bodies of the tasks with these ids, in no order. Locks nothing.
create or replace function signalbox.get_bodies(
  p_ids text[]
) returns table (id text, body jsonb)
language plpgsql
set jit = off set enable_seqscan = off as $$
#variable_conflict use_column
begin
  return query select t.id, t.body from signalbox.task t where t.id = any (p_ids);
end
$$;
