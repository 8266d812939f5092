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
