-- Tables of the engine. A task is one row; order and time live in small tables beside it (see README.md).

create sequence signalbox.ready_seq as bigint;

-- No index may mention a column of task that changes after insert, not even in a predicate: then every
-- state change is a HOT update, which stays on its page and touches no index. fillfactor leaves it room.
-- Columns that move stand together, at the end: of an update the WAL keeps what lies between the first and the last byte
-- that changed. With columns of fixed width first a task wrote 1,571 bytes of WAL instead of 1,121.
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
  retry_jitter real,
  max_duration interval,
  unique_key text collate "C",
  unique_until_started boolean not null default false,
  unique_for interval,
  limit_key text collate "C",
  fair_key text collate "C",
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
  holder uuid,
  started_at timestamptz,
  finished_at timestamptz,
  updated_at timestamptz not null default now(),

  constraint "an id is not empty" check (id <> ''),
  constraint "an action is not empty" check (action <> ''),
  constraint "a queue is not empty" check (queue <> ''),
  constraint "a task may be tried at least once" check (max_tries >= 1),
  constraint "durations and delays are not negative" check (
    max_duration >= interval '0' and retry_delay >= interval '0'
    and retry_max_delay >= interval '0' and retry_factor >= 1
    and retry_jitter between 0 and 1 and unique_for >= interval '0'
  ),
  constraint "a channel's name has at most 63 bytes" check (
    octet_length(notify_channel_after) between 1 and 63
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
  ),
  constraint "only a task in progress has a holder" check (
    holder is null or performance_token is not null
  )
) with (fillfactor = 30);

-- One row for each task that may be owned now. Its rows come and go by the thousand, hence the
-- eager vacuum. The engine's own lane is (queue '', action ''): tasks that no actor has to perform.
-- lane is functions/list_keyed_lanes.sql's lane_hash, whose place it takes in the index: short, and quick to
-- compare. Lanes may share one by chance, so that who looks in a lane also asks for its names.
create table signalbox.ready (
  queue text collate "C" not null,
  action text collate "C" not null,
  key text collate "C" not null default '',
  priority smallint not null,
  seq bigint not null,
  id text collate "C" not null,
  lane bigint not null generated always as (
    hashtextextended(key, hashtextextended(action, hashtextextended(queue, 0)))
  ) stored
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

-- One row for a batch of tasks that something must happen to at one time.
create table signalbox.timer (
  due timestamptz not null,
  kind signalbox.timer_kind not null,
  ids text[] not null
) with (autovacuum_vacuum_scale_factor = 0.05);

-- Signals of tasks that have ended, on their way to more targets than one transaction gives: see
-- functions/give_signals.sql. A row lives for milliseconds: to compress it would take longer than to write it.
create table signalbox.outgoing_signal (
  seq bigint primary key default nextval('signalbox.ready_seq'),
  targets text[] not null,
  ended signalbox.status_code not null
);
alter table signalbox.outgoing_signal alter column targets set storage external;

create table signalbox.unique_key (
  key text collate "C" primary key,
  task_id text collate "C" not null,
  kept_until timestamptz,
  is_released boolean not null default false
);

-- Tries that failed, kept apart: most tasks succeed at once and have no row here.
create table signalbox.attempt (
  task_id text collate "C" not null,
  number bigint generated always as identity,
  num_try integer not null,
  actor_id text,
  started_at timestamptz,
  ended_at timestamptz not null,
  outcome signalbox.attempt_outcome not null,
  status text,
  error text,
  primary key (task_id, number)
);

-- Lanes of tasks with a limit_key or a fair_key, at least one row for each that has ready tasks. Lanes
-- without a key are not listed: whoever owns names them. No unique index: see functions/list_keyed_lanes.sql.
create table signalbox.keyed_lane (
  queue text collate "C" not null,
  action text collate "C" not null,
  key text collate "C" not null,
  limit_key text collate "C",
  turn bigint not null default nextval('signalbox.ready_seq'),
  closed_until timestamptz
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);

-- Limits, one row a key. starts_at and starts_count are the claims of the last rate_interval.
create table signalbox.limit_key (
  key text collate "C" primary key,
  max_in_progress integer,
  rate_count integer,
  rate_interval interval,
  starts_at timestamptz[] not null default '{}',
  starts_count integer[] not null default '{}',
  version bigint not null default 0,
  constraint "a limit is at least 1" check (max_in_progress >= 1),
  constraint "a rate is a count and an interval" check (
    (rate_count is null) = (rate_interval is null)
    and rate_count >= 1 and rate_interval > interval '0'
  )
) with (fillfactor = 50);

-- Who may perform tasks of a limited key: holder is a manager of many tasks, or zeros for all who own without
-- one. in_hand counts the holder's tasks in progress, slots how many of them it may perform at once.
create table signalbox.limit_slot (
  key text collate "C" not null,
  holder uuid not null,
  slots integer not null,
  in_hand integer not null,
  primary key (key, holder),
  constraint "slots are for tasks in hand" check (slots >= 0 and in_hand >= slots)
) with (fillfactor = 50);

-- Lanes that nobody owns from at present. An empty queue or action stands for every one.
create table signalbox.pause (
  queue text collate "C" not null default '',
  action text collate "C" not null default '',
  since timestamptz not null default now(),
  primary key (queue, action),
  constraint "a pause is of a queue, an action or both" check (queue <> '' or action <> '')
);

-- Processes that perform actions, as they say themselves, until they stop or are silent for too long.
create table signalbox.worker (
  id uuid primary key,
  actor_id text not null,
  queues text[] not null,
  actions text[] not null,
  started_at timestamptz not null default now(),
  alive_until timestamptz not null
);

-- What is inserted again and again, at times that the client computes from its rule. A due time is
-- decided on under its row's lock: see functions/claim_schedule.sql.
create table signalbox.schedule (
  name text collate "C" primary key,
  rule jsonb not null,
  task jsonb not null,
  catch_up jsonb not null,
  may_overlap boolean not null default false,
  is_paused boolean not null default false,
  next_due timestamptz,
  last_due timestamptz,
  last_task_id text,
  num_fired bigint not null default 0,
  num_skipped bigint not null default 0,
  last_error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint "a schedule's name is not empty" check (name <> '')
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
