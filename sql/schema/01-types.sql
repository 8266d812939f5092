-- Types of the engine. Words as in sql/README.md.

create schema if not exists signalbox;

create type signalbox.status_code as enum (
  'pending', 'in-progress', 'completed', 'aborted', 'skipped', 'cancelled'
);

create type signalbox.run_when as enum (
  'all_done', 'all_succeeded', 'any_failed', 'any_succeeded'
);

create type signalbox.timer_kind as enum ('start', 'lease');

-- How many tasks a lane has just got. key: see lane_key.
create type signalbox.lane_count as (queue text, action text, key text, count bigint);

-- Where a claim looks. room_no: which element of an array of rooms says how many tasks the lane's limit_key may
-- still give; null: any number. cursor: see own_tasks.
create type signalbox.claim_lane as (
  queue text, action text, key text, limit_key text, room_no integer, cursor_priority smallint,
  cursor_seq bigint
);

-- What a claim took out of ready, and the rooms that it left. Of its tasks those of begun_priority up to begun_seq
-- begin, and those of higher priorities.
create type signalbox.claimed as (
  ids text[], seqs bigint[], rooms integer[], begun_priority integer, begun_seq bigint
);

create type signalbox.attempt_outcome as enum ('failed', 'aborted', 'lapsed');
