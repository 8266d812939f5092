-- Indexes. On task there is its primary key and nothing else: see 02-tables.sql.

create unique index ready_by_lane on signalbox.ready (lane, priority desc, seq);

create index timer_by_due on signalbox.timer (due);

create index unique_key_by_end on signalbox.unique_key (kept_until) where is_released;

-- The order of columns and the predicates leave one index for each question: with statistics as of an empty table,
-- the planner takes any that can be used.
create index keyed_lane_by_key on signalbox.keyed_lane (key, queue, action);

create index keyed_lane_by_turn on signalbox.keyed_lane (queue, action, turn)
  where closed_until is null;

create index keyed_lane_by_end on signalbox.keyed_lane (queue, action, closed_until)
  where closed_until > '-infinity';

create index keyed_lane_by_limit on signalbox.keyed_lane (limit_key, turn)
  where closed_until is not null;

create index limit_slot_by_holder on signalbox.limit_slot (holder);

create index schedule_by_due on signalbox.schedule (next_due, name) where not is_paused;
