-- Indexes. On task there is its primary key and nothing else: see 02-tables.sql.

create unique index ready_by_lane on signalbox.ready (queue, action, priority desc, seq);

create index timer_by_due on signalbox.timer (due);
