-- list_schedules: those with names from p_from on, before p_end (null: all that follow), in the
-- order of their names. Locks nothing.
create or replace function signalbox.list_schedules(
  p_from text default '',
  p_end text default null
) returns setof signalbox.schedule language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  return query
  select s.* from signalbox.schedule s
  where s.name >= p_from and (p_end is null or s.name < p_end)
  order by s.name;
end
$$;

-- The one of this name, if there is one. Locks nothing.
create or replace function signalbox.get_schedule(
  p_name text
) returns setof signalbox.schedule language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  return query select s.* from signalbox.schedule s where s.name = p_name;
end
$$;
