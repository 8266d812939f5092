-- What \d+ shows. Words as in README.md.

comment on schema signalbox is 'Durable task graphs.';
comment on type signalbox.status_code is
  'Where a task stands. From completed on they are terminal; the order matters.';
comment on type signalbox.run_when is
  'Which outcomes of its dependencies a task runs after; else it is skipped.';
comment on type signalbox.timer_kind is 'What is done when a timer is due.';
comment on type signalbox.lane_count is 'How many tasks a lane has just got.';
comment on type signalbox.claim_lane is 'Where a claim looks.';
comment on type signalbox.claimed is 'What a claim took.';
comment on type signalbox.attempt_outcome is 'How a try failed.';
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
comment on column signalbox.task.retry_jitter is
  'Each delay is varied at random by up to this part of it; null: not at all.';
comment on column signalbox.task.max_duration is 'How long an ownership lasts; null: as its owner asks.';
comment on column signalbox.task.unique_key is 'No two unfinished tasks have the same; see unique_until_started and unique_for.';
comment on column signalbox.task.unique_until_started is
  'The key is free again once the task is owned, not only when it ends.';
comment on column signalbox.task.unique_for is
  'The key is kept at least this long from the insert, even past the end.';
comment on column signalbox.task.limit_key is 'Counts towards the limits of this key.';
comment on column signalbox.task.fair_key is
  'Shares its lane equally with the tasks of other keys.';
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
comment on column signalbox.task.result is 'What the action returned; in progress, how far it is as well: see report_progress.';
comment on column signalbox.task.watchers is 'Channels of processes that wait for its end.';
comment on column signalbox.task.holder is
  'Whose slots of its limit_key it takes; null: it has none, or its owner has no holder.';
comment on column signalbox.task.started_at is
  'When the latest try began; null in progress: it was owned ahead and has not begun.';
comment on column signalbox.task.finished_at is 'When it ended.';
comment on column signalbox.task.updated_at is
  'When its status, or what was fixed at insert, changed last; signals that come in do not count.';

comment on table signalbox.ready is
  'Tasks that may be owned now, claimed in index order. Lane ('''', '''') is the engine''s.';
comment on column signalbox.ready.queue is 'The task''s queue; empty in the engine''s lane.';
comment on column signalbox.ready.action is 'The task''s action; empty in the engine''s lane.';
comment on column signalbox.ready.key is 'The task''s lane_key; empty for most.';
comment on column signalbox.ready.priority is 'The task''s priority.';
comment on column signalbox.ready.seq is 'Order within lane and priority; also in the task''s row.';
comment on column signalbox.ready.id is 'The task.';
comment on column signalbox.ready.lane is 'lane_hash of queue, action and key.';

comment on table signalbox.timer is 'What is to happen later: one row for a batch of tasks.';
comment on column signalbox.timer.due is 'When.';
comment on column signalbox.timer.kind is
  'start: put those still due into their lanes. lease: take back those whose deadline has lapsed.';
comment on column signalbox.timer.ids is
  'The tasks. Their rows decide: one that no longer fits is passed over.';

comment on table signalbox.outgoing_signal is
  'Signals on their way, of tasks that ended with very many targets; a row is given in one transaction.';
comment on column signalbox.outgoing_signal.seq is
  'When it was left; targets with a later seq are others of the same id.';
comment on column signalbox.outgoing_signal.targets is 'Who gets them.';
comment on column signalbox.outgoing_signal.ended is 'How those who send them ended.';

comment on table signalbox.unique_key is 'Unique keys that are taken.';
comment on column signalbox.unique_key.key is 'The key.';
comment on column signalbox.unique_key.task_id is 'The task that holds it.';

comment on column signalbox.unique_key.kept_until is
  'The key stays taken until then even when released; null: no longer than that.';
comment on column signalbox.unique_key.is_released is
  'The task no longer needs it; kept_until does.';

comment on table signalbox.attempt is 'Tries that failed, of tasks that still exist.';
comment on column signalbox.attempt.task_id is 'The task.';
comment on column signalbox.attempt.number is 'Order of the failures, over all tasks.';
comment on sequence signalbox.attempt_number_seq is 'Numbers of attempts.';
comment on column signalbox.attempt.num_try is 'The task''s num_tries at the time.';
comment on column signalbox.attempt.actor_id is 'Who tried.';
comment on column signalbox.attempt.started_at is 'When the try began.';
comment on column signalbox.attempt.ended_at is 'When it failed.';
comment on column signalbox.attempt.outcome is
  'failed: to be tried again, or out of tries. aborted: given up by its actor. lapsed: not returned in time.';
comment on column signalbox.attempt.status is 'The status it was returned with.';
comment on column signalbox.attempt.error is 'The error in full, with its stack, cut at 16,384 characters.';

comment on table signalbox.keyed_lane is
  'Lanes of tasks with a limit_key or a fair_key, each served in its turn.';
comment on column signalbox.keyed_lane.queue is 'The lane''s queue.';
comment on column signalbox.keyed_lane.action is 'The lane''s action.';
comment on column signalbox.keyed_lane.key is 'The lane_key of its tasks.';
comment on column signalbox.keyed_lane.limit_key is 'The limit_key of its tasks; null: they have none.';
comment on column signalbox.keyed_lane.turn is 'The lane with the lowest is served first, then gets a new one.';
comment on column signalbox.keyed_lane.closed_until is
  'Its limit was reached: not looked at before then, unless a slot is given back; null: open.';

comment on table signalbox.limit_key is 'Limits of keys.';
comment on column signalbox.limit_key.key is 'The key.';
comment on column signalbox.limit_key.max_in_progress is
  'At most so many tasks of the key are performed at once; null: no limit.';
comment on column signalbox.limit_key.rate_count is
  'At most so many tries of its tasks are owned in any rate_interval; null: no limit.';
comment on column signalbox.limit_key.rate_interval is 'See rate_count.';
comment on column signalbox.limit_key.starts_at is 'Times of claims within the last rate_interval.';
comment on column signalbox.limit_key.starts_count is 'How many tasks each of them owned.';
comment on column signalbox.limit_key.version is 'Grows with each grant of slots: tells which is the latest.';

comment on table signalbox.limit_slot is 'Who holds slots of a limited key.';
comment on column signalbox.limit_slot.key is 'The key.';
comment on column signalbox.limit_slot.holder is 'A manager, or zeros for all owners without one.';
comment on column signalbox.limit_slot.slots is 'How many tasks of the key it may perform at once.';
comment on column signalbox.limit_slot.in_hand is 'Its tasks of the key in progress, begun or not.';

comment on table signalbox.pause is 'Queues and actions that are paused.';
comment on column signalbox.pause.queue is 'The queue; empty: every one.';
comment on column signalbox.pause.action is 'The action; empty: every one.';
comment on column signalbox.pause.since is 'When it was paused.';

comment on table signalbox.worker is 'Who performs what at present.';
comment on column signalbox.worker.id is 'The manager.';
comment on column signalbox.worker.actor_id is 'Its actor.';
comment on column signalbox.worker.queues is 'The queues it owns from.';
comment on column signalbox.worker.actions is 'The actions it performs.';
comment on column signalbox.worker.started_at is 'When it first said so.';
comment on column signalbox.worker.alive_until is 'Silent past that, it counts as gone.';

comment on table signalbox.schedule is 'What is inserted again and again.';
comment on column signalbox.schedule.name is 'Chosen by its owner; ids of its tasks begin with it.';
comment on column signalbox.schedule.rule is
  'When: {"cron", "timeZone"} or {"everyMs"}; both may have "from".';
comment on column signalbox.schedule.task is 'The task to insert, without its id.';
comment on column signalbox.schedule.catch_up is
  'What of missed times is made up for: {"policy": "none" | "last" | "all", "graceMs", "max"}.';
comment on column signalbox.schedule.may_overlap is
  'It fires although the task of an earlier time has not ended.';
comment on column signalbox.schedule.is_paused is 'It does not fire.';
comment on column signalbox.schedule.next_due is
  'The oldest due time not decided on yet; null: never again.';
comment on column signalbox.schedule.last_due is 'The due time that fired last.';
comment on column signalbox.schedule.last_task_id is 'The task inserted last, at a due time or by hand.';
comment on column signalbox.schedule.num_fired is 'How often it fired.';
comment on column signalbox.schedule.num_skipped is
  'Due times passed over: missed in a downtime, or since the task before had not ended.';
comment on column signalbox.schedule.last_error is
  'Why its task could not be inserted at the last due time; null: it could.';
comment on column signalbox.schedule.created_at is 'When it was first put.';
comment on column signalbox.schedule.updated_at is 'When it was last put, paused or resumed.';

comment on table signalbox.sleeper is 'Idle workers that ask to be woken.';
comment on column signalbox.sleeper.channel is 'Where the worker listens.';
comment on column signalbox.sleeper.queue is 'Queue of the lane it sleeps on.';
comment on column signalbox.sleeper.action is 'Action of the lane it sleeps on.';
comment on column signalbox.sleeper.until is 'It looks by itself then; the row counts no longer.';

comment on table signalbox.schema_version is 'Which version of the schema is installed.';
comment on column signalbox.schema_version.only_row is 'Always true.';
comment on column signalbox.schema_version.version is 'Compared with the client''s at connect.';
comment on column signalbox.schema_version.installed_at is 'When this version came.';
