-- The schema as version 1 installed it; of its functions, one that stands in the way of lane_count.

-- Types of the engine. Words as in sql/README.md.

create schema if not exists signalbox;

create type signalbox.status_code as enum (
  'pending', 'in-progress', 'completed', 'aborted', 'skipped', 'cancelled'
);

create type signalbox.run_when as enum (
  'all_done', 'all_succeeded', 'any_failed', 'any_succeeded'
);

create type signalbox.timer_kind as enum ('start', 'lease');

-- How many tasks a lane has just got.
create type signalbox.lane_count as (queue text, action text, count bigint);

-- Tables of the engine. A task is one row; order and time live in small tables beside it (see README.md).

create sequence signalbox.ready_seq as bigint;

-- No index may mention a column of task that changes after insert, not even in a predicate: then every
-- state change is a HOT update, which stays on its page and touches no index. fillfactor leaves it room.
create table signalbox.task (
  -- fixed at insert
  id text collate "C" primary key,
  action text collate "C",
  queue text collate "C" not null default 'default',
  priority smallint not null default 0,
  run_when signalbox.run_when not null default 'all_done',
  total_is_given boolean not null default false,
  body jsonb,
  to_signal_after text[],
  start_after timestamptz,
  max_tries integer,
  retry_delay interval,
  retry_factor double precision,
  retry_max_delay interval,
  max_duration interval,
  unique_key text collate "C",
  notify_channel_after text,
  created_at timestamptz not null default now(),
  -- moving
  status_code signalbox.status_code not null default 'pending',
  num_tries integer not null default 0,
  total_dependencies integer not null default 0,
  num_signals integer not null default 0,
  num_failures integer not null default 0,
  num_skipped integer not null default 0,
  seq bigint not null default nextval('signalbox.ready_seq'),
  due_at timestamptz,
  action_deadline timestamptz,
  performance_token uuid,
  actor_id text,
  status text,
  result jsonb,
  watchers text[],
  started_at timestamptz,
  finished_at timestamptz,

  constraint "an id is not empty" check (id <> ''),
  constraint "an action is not empty" check (action <> ''),
  constraint "a queue is not empty" check (queue <> ''),
  constraint "a task may be tried at least once" check (max_tries >= 1),
  constraint "durations and delays are not negative" check (
    max_duration >= interval '0' and retry_delay >= interval '0'
    and retry_max_delay >= interval '0' and retry_factor >= 1
  ),
  constraint "signals fit their total, failures and skips fit the signals" check (
    num_failures >= 0 and num_skipped >= 0 and num_failures + num_skipped <= num_signals
    and num_signals <= total_dependencies
  ),
  constraint "a token exists exactly while in progress" check (
    (status_code = 'in-progress') = (performance_token is not null)
  ),
  constraint "only a task in progress has a deadline" check (
    action_deadline is null or performance_token is not null
  ),
  constraint "finished_at is set exactly on terminal tasks" check (
    (status_code >= 'completed') = (finished_at is not null)
  ),
  constraint "tries stay within their limit" check (
    num_tries >= 0 and (max_tries is null or num_tries <= max_tries)
  ),
  constraint "a task in progress has all its signals" check (
    status_code <> 'in-progress' or num_signals = total_dependencies
  )
) with (fillfactor = 30);

-- One row for each task that may be owned now. Its rows come and go by the thousand, hence the
-- eager vacuum. The engine's own lane is (queue '', action ''): tasks that no actor has to perform.
create table signalbox.ready (
  queue text collate "C" not null,
  action text collate "C" not null,
  priority smallint not null,
  seq bigint not null,
  id text collate "C" not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

-- One row for a batch of tasks that something must happen to at one time.
create table signalbox.timer (
  due timestamptz not null,
  kind signalbox.timer_kind not null,
  ids text[] not null
) with (autovacuum_vacuum_scale_factor = 0.05);

create table signalbox.unique_key (
  key text collate "C" primary key,
  task_id text collate "C" not null
);

-- Idle workers that ask to be woken, one row for each lane of each.
create table signalbox.sleeper (
  channel text collate "C" not null,
  queue text collate "C" not null,
  action text collate "C" not null,
  until timestamptz not null,
  primary key (queue, action, channel)
);

create table signalbox.schema_version (
  only_row boolean primary key default true,
  version integer not null,
  installed_at timestamptz not null default now(),
  constraint "there is one row" check (only_row)
);

-- Indexes. On task there is its primary key and nothing else: see 02-tables.sql.

create unique index ready_by_lane on signalbox.ready (queue, action, priority desc, seq);

create index timer_by_due on signalbox.timer (due);

-- What \d+ shows. Words as in README.md.

comment on schema signalbox is 'Durable task graphs.';
comment on type signalbox.status_code is
  'Where a task stands. From completed on they are terminal; the order matters.';
comment on type signalbox.run_when is
  'Which outcomes of its dependencies a task runs after; else it is skipped.';
comment on type signalbox.timer_kind is 'What is done when a timer is due.';
comment on type signalbox.lane_count is 'How many tasks a lane has just got.';
comment on sequence signalbox.ready_seq is 'Order of becoming ready, over all lanes.';

comment on table signalbox.task is 'A unit of work and everything known of it. One row, updated in place (HOT).';
comment on column signalbox.task.id is 'Chosen by its inserter; a path such as run/node by habit.';
comment on column signalbox.task.action is 'The kind of work; null: a milestone, completed by the engine.';
comment on column signalbox.task.queue is 'With the action: the lane in which it is kept in order.';
comment on column signalbox.task.priority is 'Higher first.';
comment on column signalbox.task.run_when is 'Judged when the last signal is in.';
comment on column signalbox.task.total_is_given is
  'total_dependencies was given, so later edges to this task do not raise it.';
comment on column signalbox.task.body is 'What the action is to work on.';
comment on column signalbox.task.to_signal_after is 'The edges: who gets a signal when this task ends.';
comment on column signalbox.task.start_after is 'Not to be owned before this time.';
comment on column signalbox.task.max_tries is 'Tries until it is aborted; null: no limit.';
comment on column signalbox.task.retry_delay is 'Delay before the second try; null: none.';
comment on column signalbox.task.retry_factor is 'Each further delay is this many times the last; null: 1.';
comment on column signalbox.task.retry_max_delay is 'No delay is longer; null: no limit.';
comment on column signalbox.task.max_duration is 'How long an ownership lasts; null: as its owner asks.';
comment on column signalbox.task.unique_key is 'No two unfinished tasks have the same.';
comment on column signalbox.task.notify_channel_after is 'Gets a notification when the task ends.';
comment on column signalbox.task.created_at is 'When the inserting transaction began.';
comment on column signalbox.task.status_code is 'Where it stands.';
comment on column signalbox.task.num_tries is 'Ownerships that count: a snooze gives its try back.';
comment on column signalbox.task.total_dependencies is 'Signals that must come in before it may run.';
comment on column signalbox.task.num_signals is 'Signals that came in.';
comment on column signalbox.task.num_failures is 'Those of them that carried a failure.';
comment on column signalbox.task.num_skipped is 'Those of them that came from skipped tasks.';
comment on column signalbox.task.seq is 'The seq of its row in ready, when it has one.';
comment on column signalbox.task.due_at is
  'Pending and all signals in: a timer makes it ready then; null: it is in ready.';
comment on column signalbox.task.action_deadline is 'When the ownership lapses; null: never.';
comment on column signalbox.task.performance_token is 'Proof of the present ownership.';
comment on column signalbox.task.actor_id is 'Who owns it, or owned it last.';
comment on column signalbox.task.status is 'Free text of the last return; why it was skipped, cancelled or lapsed.';
comment on column signalbox.task.result is 'What the action returned.';
comment on column signalbox.task.watchers is 'Channels of processes that wait for its end.';
comment on column signalbox.task.started_at is 'When the latest try began.';
comment on column signalbox.task.finished_at is 'When it ended.';

comment on table signalbox.ready is
  'Tasks that may be owned now, claimed in index order. Lane ('''', '''') is the engine''s.';
comment on column signalbox.ready.queue is 'The task''s queue; empty in the engine''s lane.';
comment on column signalbox.ready.action is 'The task''s action; empty in the engine''s lane.';
comment on column signalbox.ready.priority is 'The task''s priority.';
comment on column signalbox.ready.seq is 'Order within lane and priority; also in the task''s row.';
comment on column signalbox.ready.id is 'The task.';

comment on table signalbox.timer is 'What is to happen later: one row for a batch of tasks.';
comment on column signalbox.timer.due is 'When.';
comment on column signalbox.timer.kind is
  'start: put those still due into their lanes. lease: take back those whose deadline has lapsed.';
comment on column signalbox.timer.ids is
  'The tasks. Their rows decide: one that no longer fits is passed over.';

comment on table signalbox.unique_key is 'Unique keys of unfinished tasks.';
comment on column signalbox.unique_key.key is 'The key.';
comment on column signalbox.unique_key.task_id is 'The unfinished task that holds it.';

comment on table signalbox.sleeper is 'Idle workers that ask to be woken.';
comment on column signalbox.sleeper.channel is 'Where the worker listens.';
comment on column signalbox.sleeper.queue is 'Queue of the lane it sleeps on.';
comment on column signalbox.sleeper.action is 'Action of the lane it sleeps on.';
comment on column signalbox.sleeper.until is 'It looks by itself then; the row counts no longer.';

comment on table signalbox.schema_version is 'Which version of the schema is installed.';
comment on column signalbox.schema_version.only_row is 'Always true.';
comment on column signalbox.schema_version.version is 'Compared with the client''s at connect.';
comment on column signalbox.schema_version.installed_at is 'When this version came.';

-- What may happen to a task: the state machine, as data. The functions do not read it; the tests run every
-- event on tasks in every status and compare.

create table signalbox.transition (
  event text not null,
  from_status signalbox.status_code not null,
  to_status signalbox.status_code not null,
  signals text,
  primary key (event, from_status, to_status),
  constraint "who ends gives a signal, who begins again takes it back" check (case
    when to_status >= 'completed' then coalesce(signals, '') in ('success', 'failure', 'skipped')
    when from_status >= 'completed' then coalesce(signals, '') = 'taken back'
    else signals is null end)
);

insert into signalbox.transition (event, from_status, to_status, signals) values
  ('own', 'pending', 'in-progress', null),
  ('extend', 'in-progress', 'in-progress', null),
  ('complete', 'in-progress', 'completed', 'success'),
  ('abort', 'in-progress', 'aborted', 'failure'),
  ('retry', 'in-progress', 'pending', null),
  ('exhaust', 'in-progress', 'aborted', 'failure'),
  ('snooze', 'in-progress', 'pending', null),
  ('lapse', 'in-progress', 'pending', null),
  ('exhaust by lapse', 'in-progress', 'aborted', 'failure'),
  ('settle', 'pending', 'completed', 'success'),
  ('skip', 'pending', 'skipped', 'skipped'),
  ('cancel', 'pending', 'cancelled', 'failure'),
  ('cancel', 'in-progress', 'cancelled', 'failure'),
  ('rerun', 'completed', 'pending', 'taken back'),
  ('rerun', 'aborted', 'pending', 'taken back'),
  ('rerun', 'skipped', 'pending', 'taken back'),
  ('rerun', 'cancelled', 'pending', 'taken back'),
  ('rerun from upstream', 'pending', 'pending', null),
  ('rerun from upstream', 'in-progress', 'pending', null),
  ('rerun from upstream', 'completed', 'pending', 'taken back'),
  ('rerun from upstream', 'aborted', 'pending', 'taken back'),
  ('rerun from upstream', 'skipped', 'pending', 'taken back'),
  ('rerun from upstream', 'cancelled', 'pending', 'taken back');

comment on table signalbox.transition is
  'Every way in which a task''s status may change. An event on a task in a status that is not listed '
  'changes nothing. A task is inserted pending; it may be deleted in any status.';
comment on column signalbox.transition.event is
  'own, extend; complete, abort, retry, exhaust (a retry with no try left), snooze: ways to return; '
  'lapse, exhaust by lapse: a deadline passed; settle, skip: the engine''s lane; cancel; rerun; '
  'rerun from upstream: of a task that this one depends on, with all downstream of it.';
comment on column signalbox.transition.from_status is 'Where the task stands before.';
comment on column signalbox.transition.to_status is 'Where it stands afterwards.';
comment on column signalbox.transition.signals is
  'What its targets get: success, failure, skipped, null: nothing; taken back: what they had got.';

-- Takes the sleepers to wake out of the table, and returns the channel of each process once.
create or replace function signalbox.take_sleepers(
  p_lanes signalbox.lane_count[]
) returns setof text language plpgsql as $$
begin
  return query
  with woken as (
    delete from signalbox.sleeper s
    where s.ctid = any (array(
      select c.ctid
      from unnest(p_lanes) as l
      cross join lateral (
        select o.ctid from signalbox.sleeper o
        where o.queue = l.queue and o.action = l.action
        limit l.count
        for update skip locked
      ) as c))
    returning s.channel
  )
  select distinct w.channel from woken w;
end
$$;

-- The version that these files install; the client compares it with its own.

insert into signalbox.schema_version (version) values (1)
on conflict (only_row) do update set version = excluded.version, installed_at = now();
