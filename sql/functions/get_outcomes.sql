-- get_outcomes: how these tasks stand or ended, in no order; ids that do not exist have no row. Without
-- p_with_results, the results of completed tasks are left out: they may be large. With p_max_bytes, tasks whose
-- result takes more, as it is stored, have no row either. Locks nothing.
create or replace function signalbox.get_outcomes(
  p_ids text[],
  p_with_results boolean default true,
  p_max_bytes integer default null
) returns table (id text, status_code signalbox.status_code, status text, result jsonb)
language plpgsql
set jit = off set enable_seqscan = off as $$
#variable_conflict use_column
begin
  return query
  select t.id, t.status_code, t.status,
    case when p_with_results or t.status_code <> 'completed' then t.result end
  from signalbox.task t
  where t.id = any (p_ids)
    and (p_max_bytes is null or t.result is null or pg_column_size(t.result) <= p_max_bytes);
end
$$;

-- The bodies of the tasks with these ids, in no order; p_max_bytes as above. Locks nothing.
create or replace function signalbox.get_bodies(
  p_ids text[],
  p_max_bytes integer default null
) returns table (id text, body jsonb)
language plpgsql
set jit = off set enable_seqscan = off as $$
#variable_conflict use_column
begin
  return query
  select t.id, t.body from signalbox.task t
  where t.id = any (p_ids)
    and (p_max_bytes is null or t.body is null or pg_column_size(t.body) <= p_max_bytes);
end
$$;
