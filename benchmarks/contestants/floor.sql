-- The bare floor: the least that a task graph in Postgres can be. No statuses but done, no leases to check, no
-- retries, no priorities, no checks on input, no waiters; a token and a deadline are written and read.
-- Written by hand for one purpose, so what signalbox adds shows as the ratio to it.

create table floor.task (
  id text collate "C" primary key,
  action text not null,
  body jsonb,
  to_signal_after text[],
  total_dependencies integer not null,
  num_signals integer not null default 0,
  status "char" not null default 'p',
  token uuid,
  deadline timestamptz,
  result jsonb
) with (fillfactor = 30);

create table floor.ready (
  seq bigint generated always as identity,
  action text collate "C" not null,
  id text not null
);

create index ready_by_seq on floor.ready (action, seq);

create function floor.own(p_action text, p_max integer, p_from bigint)
returns table (id text, token uuid, body jsonb, seq bigint)
language plpgsql set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  return query
  with claimed as materialized (
    delete from floor.ready r
    where r.ctid = any (array(
      select n.ctid from floor.ready n
      where n.action = p_action and n.seq >= p_from
      order by n.seq limit p_max for update skip locked))
    returning r.id, r.seq
  )
  update floor.task t
  set status = 'o', token = gen_random_uuid(), deadline = now() + interval '30 minutes'
  from claimed c
  where t.id = c.id
  returning t.id, t.token, t.body, c.seq;
end
$$;

create function floor.give_back(p_ids text[], p_tokens uuid[], p_results jsonb[])
returns void
language plpgsql set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_targets text[];
begin
  with returned as (
    update floor.task t set status = 'd', token = null, deadline = null, result = g.result
    from unnest(p_ids, p_tokens, p_results) as g (id, token, result)
    where t.id = g.id and t.token = g.token
    returning t.to_signal_after
  )
  select array_agg(s.target) into v_targets
  from returned r cross join unnest(r.to_signal_after) as s (target);
  if v_targets is null then
    return;
  end if;

  with signal as materialized (
    select s.target, count(*) as n from unnest(v_targets) as s (target) group by s.target
  ), locked as materialized (
    select t.id, s.n from signal s join floor.task t on t.id = s.target
    order by t.id for no key update of t
  ), signalled as (
    update floor.task t set num_signals = t.num_signals + l.n
    from locked l where t.id = l.id
    returning t.id, t.action, t.num_signals = t.total_dependencies as is_ready
  )
  insert into floor.ready (action, id) select s.action, s.id from signalled s where s.is_ready;
end
$$;
