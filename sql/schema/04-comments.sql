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
