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
  ('decline', 'in-progress', 'skipped', 'skipped'),
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
  'own, extend; complete, abort, decline (its owner found that it is not to be performed), retry, '
  'exhaust (a retry with no try left), snooze: ways to return; '
  'lapse, exhaust by lapse: a deadline passed; settle, skip: the engine''s lane; cancel; rerun; '
  'rerun from upstream: of a task that this one depends on, with all downstream of it.';
comment on column signalbox.transition.from_status is 'Where the task stands before.';
comment on column signalbox.transition.to_status is 'Where it stands afterwards.';
comment on column signalbox.transition.signals is
  'What its targets get: success, failure, skipped, null: nothing; taken back: what they had got.';
