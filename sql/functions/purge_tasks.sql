-- purge_tasks: deletes, as delete_tasks does, the next p_limit tasks after p_after that fit the
-- conditions of list_tasks; with p_spares_owned none in progress. Returns how many it deleted,
-- those left without dependencies included; how many fitted; and the last of these: where the next
-- call goes on. num_found below p_limit: done.
--
-- Decides under the tasks' locks, so that one that is rerun or owned while this waits for it is
-- judged anew.
--
-- Locks: the tasks, in id order, then what delete_tasks locks. It can deadlock with a return: call
-- it again on SQLSTATE 40P01.
create or replace function signalbox.purge_tasks(
  p_from text,
  p_after text,
  p_end text,
  p_limit integer,
  p_actions text[] default null,
  p_queues text[] default null,
  p_codes signalbox.status_code[] default null,
  p_updated_since timestamptz default null,
  p_updated_before timestamptz default null,
  p_ended_before timestamptz default null,
  p_spares_owned boolean default false,
  p_now timestamptz default null,
  out num_deleted integer, out num_found integer, out last_id text
) language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off
set plan_cache_mode = force_custom_plan as $$
declare
  v_ids text[];
begin
  select array_agg(c.id), count(*), max(c.id) into v_ids, num_found, last_id
  from (
    select t.id from signalbox.task t
    where t.id >= p_from and t.id > p_after and (p_end is null or t.id < p_end)
      and (p_actions is null or t.action = any (p_actions))
      and (p_queues is null or t.queue = any (p_queues))
      and (p_codes is null or t.status_code = any (p_codes))
      and (p_updated_since is null or t.updated_at >= p_updated_since)
      and (p_updated_before is null or t.updated_at < p_updated_before)
      and (p_ended_before is null or t.finished_at < p_ended_before)
      and not (p_spares_owned and t.status_code = 'in-progress')
    order by t.id
    limit p_limit
    for no key update
  ) as c;
  num_deleted := case when v_ids is null then 0
    else signalbox.delete_tasks(v_ids, p_spares_owned, p_now) end;
end
$$;
