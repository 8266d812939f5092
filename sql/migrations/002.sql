-- From version 1 to 2: limits, fair shares and rates, attempts, unique keys in time, pauses, workers, schedules.
-- The functions are gone when this runs; comments and functions follow. What things are for: sql/schema.

drop type signalbox.lane_count;
create type signalbox.lane_count as (queue text, action text, key text, count bigint);

create type signalbox.claim_lane as (
  queue text, action text, key text, limit_key text, room_no integer, cursor_priority smallint,
  cursor_seq bigint
);

create type signalbox.claimed as (
  ids text[], seqs bigint[], rooms integer[], begun_priority integer, begun_seq bigint
);

create type signalbox.attempt_outcome as enum ('failed', 'aborted', 'lapsed');

alter table signalbox.task
  add column retry_jitter real,
  add column unique_until_started boolean not null default false,
  add column unique_for interval,
  add column limit_key text collate "C",
  add column fair_key text collate "C",
  add column holder uuid,
  add column updated_at timestamptz;

-- Columns are filled by changing their types to what they are: that writes the table anew, once, where an
-- update would leave a dead version of every row. No notification could be sent on a channel that is
-- dropped here, so its task could not end.
alter table signalbox.task
  alter column updated_at type timestamptz using coalesce(finished_at, started_at, created_at),
  alter column updated_at set not null,
  alter column updated_at set default now(),
  alter column notify_channel_after type text using case
    when octet_length(notify_channel_after) between 1 and 63 then notify_channel_after end,
  drop constraint "durations and delays are not negative",
  add constraint "durations and delays are not negative" check (
    max_duration >= interval '0' and retry_delay >= interval '0'
    and retry_max_delay >= interval '0' and retry_factor >= 1
    and retry_jitter between 0 and 1 and unique_for >= interval '0'
  ),
  add constraint "a channel's name has at most 63 bytes" check (
    octet_length(notify_channel_after) between 1 and 63
  ),
  add constraint "only a task in progress has a holder" check (
    holder is null or performance_token is not null
  );

alter table signalbox.ready add column key text collate "C" not null default '';
alter table signalbox.ready add column lane bigint not null generated always as (
  hashtextextended(key, hashtextextended(action, hashtextextended(queue, 0)))
) stored;
drop index signalbox.ready_by_lane;
create unique index ready_by_lane on signalbox.ready (lane, priority desc, seq);

alter table signalbox.unique_key
  add column kept_until timestamptz,
  add column is_released boolean not null default false;
create index unique_key_by_end on signalbox.unique_key (kept_until) where is_released;

create table signalbox.outgoing_signal (
  seq bigint primary key default nextval('signalbox.ready_seq'),
  targets text[] not null,
  ended signalbox.status_code not null
);
alter table signalbox.outgoing_signal alter column targets set storage external;

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

create table signalbox.keyed_lane (
  queue text collate "C" not null,
  action text collate "C" not null,
  key text collate "C" not null,
  limit_key text collate "C",
  turn bigint not null default nextval('signalbox.ready_seq'),
  closed_until timestamptz
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);

create index keyed_lane_by_key on signalbox.keyed_lane (key, queue, action);

create index keyed_lane_by_turn on signalbox.keyed_lane (queue, action, turn)
  where closed_until is null;

create index keyed_lane_by_end on signalbox.keyed_lane (queue, action, closed_until)
  where closed_until > '-infinity';

create index keyed_lane_by_limit on signalbox.keyed_lane (limit_key, turn)
  where closed_until is not null;

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

create table signalbox.limit_slot (
  key text collate "C" not null,
  holder uuid not null,
  slots integer not null,
  in_hand integer not null,
  primary key (key, holder),
  constraint "slots are for tasks in hand" check (slots >= 0 and in_hand >= slots)
) with (fillfactor = 50);

create index limit_slot_by_holder on signalbox.limit_slot (holder);

create table signalbox.pause (
  queue text collate "C" not null default '',
  action text collate "C" not null default '',
  since timestamptz not null default now(),
  primary key (queue, action),
  constraint "a pause is of a queue, an action or both" check (queue <> '' or action <> '')
);

create table signalbox.worker (
  id uuid primary key,
  actor_id text not null,
  queues text[] not null,
  actions text[] not null,
  started_at timestamptz not null default now(),
  alive_until timestamptz not null
);

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

create index schedule_by_due on signalbox.schedule (next_due, name) where not is_paused;

insert into signalbox.transition (event, from_status, to_status, signals) values
  ('decline', 'in-progress', 'skipped', 'skipped');

comment on column signalbox.transition.event is
  'own, extend; complete, abort, decline (its owner found that it is not to be performed), retry, '
  'exhaust (a retry with no try left), snooze: ways to return; '
  'lapse, exhaust by lapse: a deadline passed; settle, skip: the engine''s lane; cancel; rerun; '
  'rerun from upstream: of a task that this one depends on, with all downstream of it.';
