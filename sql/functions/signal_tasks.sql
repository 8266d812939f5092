-- signal_tasks: gives each task one signal from outside, for those inserted with a total that expects it.
-- Returns how many still waited for one; others are passed over. p_result becomes the result of those, in the
-- same transaction: what ends a milestone can bring a payload.
--
-- Locks: the tasks, in id order; then what settle_tasks can lock without waiting.
create or replace function signalbox.signal_tasks(
  p_ids text[],
  p_failed boolean default false,
  p_now timestamptz default null,
  p_result jsonb default null
) returns integer language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_now timestamptz := coalesce(p_now, signalbox.now());
  v_waiting text[];
begin
  select array_agg(c.id) into v_waiting
  from (
    select t.id from signalbox.task t
    where t.id = any (p_ids) and t.status_code = 'pending' and t.num_signals < t.total_dependencies
    order by t.id
    for no key update
  ) as c;
  if v_waiting is null then
    return 0;
  end if;

  if p_result is not null then
    update signalbox.task t set result = p_result where t.id = any (v_waiting);
  end if;
  if signalbox.signal_targets(v_waiting, array_fill(
    case when p_failed then 'aborted' else 'completed'::signalbox.status_code end,
    array[cardinality(v_waiting)]), v_now)
  then
    perform signalbox.settle_tasks(v_now);
  end if;
  return cardinality(v_waiting);
end
$$;
