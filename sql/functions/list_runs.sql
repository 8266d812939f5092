-- list_runs: the runs of graphs among the ids from p_from on, before p_end, the newest first. A run is a
-- task whose action ends in /~run and that is not below another run. What is below a run is never read:
-- two ranges of the primary key are searched for each run, however many tasks it has. Locks nothing.
create or replace function signalbox.list_runs(
  p_from text,
  p_end text,
  p_limit integer,
  p_codes signalbox.status_code[] default null
) returns table (
  id text, action text, status_code signalbox.status_code, status text,
  created_at timestamptz, finished_at timestamptz
) language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  -- A run's other tasks come after ids like "etl/42-b", which come after "etl/42": until they are
  -- passed over it is open.
  v_open text[] := '{}';
  v_runs text[] := '{}';
  v_from text := p_from;
  v_end text := coalesce(p_end, (select max(t.id) || '0' from signalbox.task t));
  v_run text;
begin
  loop
    select t.id into v_run
    from signalbox.task t
    where t.id >= v_from and t.id < coalesce(v_open[cardinality(v_open)] || '/', v_end)
      and t.action like '%/~run'
    order by t.id
    limit 1;
    if found then
      v_runs := v_runs || v_run;
      v_open := v_open || v_run;
      v_from := v_run || chr(1);
    else
      exit when cardinality(v_open) = 0;
      -- '0' comes next after '/'.
      v_from := v_open[cardinality(v_open)] || '0';
      v_open := trim_array(v_open, 1);
    end if;
  end loop;
  return query
  select t.id::text, t.action::text, t.status_code, t.status, t.created_at, t.finished_at
  from signalbox.task t
  where t.id = any (v_runs) and (p_codes is null or t.status_code = any (p_codes))
  order by t.created_at desc, t.id
  limit p_limit;
end
$$;
