-- Indexes. On task there is its primary key and nothing else: see 02-tables.sql.

create unique index ready_by_lane on signalbox.ready (queue, action, key, priority desc, seq);

create index timer_by_due on signalbox.timer (due);

create index keyed_lane_by_turn on signalbox.keyed_lane (queue, action, turn);

create index keyed_lane_by_limit on signalbox.keyed_lane (limit_key) where limit_key is not null;

create index schedule_by_due on signalbox.schedule (next_due) where not is_paused;
