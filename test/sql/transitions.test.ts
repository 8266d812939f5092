import { expect, it } from 'vitest';
import type { TaskSpec } from '../support/model/model-task.js';
import { at, NOW, spec, useSqlBox } from './sql-box.js';

/*
 * The state machine, exhaustively: every event happens to a task in every status, and what comes of it is
 * compared with the table `transition`. The task, `x`, depends on `up` and signals `after`.
 */
const box = useSqlBox();

const STATUSES = [
  'pending',
  'in-progress',
  'completed',
  'aborted',
  'skipped',
  'cancelled',
] as const;
const TOKEN = '00000000-0000-4000-8000-000000000000';

interface Event {
  /** What x must be like for the event to be possible at all. */
  readonly task?: Partial<TaskSpec>;
  readonly happen: () => Promise<unknown>;
}

/** Before the deadline of an ownership. */
const SOON_SECONDS = 0.5;
const DELAYED = { startAfterMs: at(SOON_SECONDS).getTime() };
const ONE_TRY = { maxTries: 1 };

const EVENTS: Record<string, Event> = {
  own: { happen: () => box.own() },
  extend: {
    happen: () =>
      box.rows(`select extend_task_deadlines('{x}', array[$1::uuid], '{1 hour}', $2)`, [
        TOKEN,
        NOW,
      ]),
  },
  complete: { happen: () => giveBack('completed') },
  abort: { happen: () => giveBack('aborted') },
  decline: { happen: () => giveBack('skipped') },
  retry: { happen: () => giveBack('pending') },
  exhaust: { task: ONE_TRY, happen: () => giveBack('pending') },
  snooze: { task: ONE_TRY, happen: () => giveBack('pending', at(5)) },
  lapse: { happen: () => runTimers(2) },
  'exhaust by lapse': { task: ONE_TRY, happen: () => runTimers(2) },
  settle: { task: { action: null, ...DELAYED }, happen: () => settle() },
  skip: { task: { runWhen: 'any_failed', ...DELAYED }, happen: () => settle() },
  cancel: { happen: () => box.rows(`select cancel_tasks('{x}', p_now => $1)`, [NOW]) },
  rerun: { happen: () => box.rows(`select rerun_tasks('{x}', p_now => $1)`, [NOW]) },
  'rerun from upstream': {
    happen: () => box.rows(`select rerun_tasks('{up}', true, p_now => $1)`, [NOW]),
  },
};

function giveBack(code: string, startAfter: Date | null = null) {
  return box.rows(
    `select return_tasks('{x}', array[$1::uuid], array[$2::status_code], null, null,
       array[$3::timestamptz], $4)`,
    [TOKEN, code, startAfter, NOW],
  );
}

function runTimers(seconds: number) {
  return box.rows('select run_timers($1)', [at(seconds)]);
}

/** A delayed task of the engine's is due, goes to its lane, and is settled there. */
async function settle(): Promise<void> {
  await runTimers(SOON_SECONDS);
  await box.rows('select settle_tasks($1)', [at(SOON_SECONDS)]);
}

/** up has completed and signalled x, which is pending and may start. */
async function prepare(task: Partial<TaskSpec>): Promise<void> {
  await box.clear();
  await box.insert(
    spec('up', { action: 'upstream', targets: ['x'] }),
    spec('x', { maxTries: 3, targets: ['after'], ...task }),
    spec('after', { action: 'downstream', givenTotal: 2 }),
  );
  await box.giveBack(await box.own({ actions: ['upstream'] }));
}

/** Puts x by hand into a status, as if it had come there by an event that is possible. */
async function force(status: (typeof STATUSES)[number]): Promise<void> {
  if (status === 'pending') return;
  await box.rows(`delete from ready where id = 'x'`);
  await box.rows('delete from timer');
  if (status === 'in-progress') {
    await box.rows(
      `update task set status_code = 'in-progress', performance_token = $1, num_tries = 1,
         due_at = null, action_deadline = $2, started_at = $3 where id = 'x'`,
      [TOKEN, at(1), NOW],
    );
    await box.rows(`insert into timer (due, kind, ids) values ($1, 'lease', '{x}')`, [at(1)]);
    return;
  }
  await box.rows(
    `update task set status_code = $1, finished_at = $2, due_at = null where id = 'x'`,
    [status, NOW],
  );
  await box.rows(
    `update task set num_signals = 1, num_failures = ($1 in ('aborted', 'cancelled'))::integer,
       num_skipped = ($1 = 'skipped')::integer where id = 'after'`,
    [status],
  );
}

interface Observed {
  readonly row: unknown;
  readonly status: unknown;
  readonly signals: number;
  readonly failures: number;
  readonly skipped: number;
}

async function observe(): Promise<Observed> {
  const x = await box.task('x', `to_jsonb(task) as row, status_code`);
  const after = await box.task('after', 'num_signals, num_failures, num_skipped');
  return {
    row: x?.row,
    status: x?.status_code,
    signals: Number(after?.num_signals),
    failures: Number(after?.num_failures),
    skipped: Number(after?.num_skipped),
  };
}

function signalBetween(before: Observed, after: Observed): string | null {
  if (after.signals < before.signals) return 'taken back';
  if (after.signals === before.signals) return null;
  if (after.failures > before.failures) return 'failure';
  return after.skipped > before.skipped ? 'skipped' : 'success';
}

/** What an event did to x in a status, as a line; null: nothing at all. */
async function outcomeOf(name: string, event: Event, status: (typeof STATUSES)[number]) {
  await prepare(event.task ?? {});
  await force(status);
  const before = await observe();
  await event.happen();
  const after = await observe();
  if (JSON.stringify(after) === JSON.stringify(before)) return null;
  return line(name, before.status, after.status, signalBetween(before, after));
}

function line(event: unknown, from: unknown, to: unknown, signals: unknown): string {
  return `${event}: ${from} -> ${to}, signals ${signals ?? 'nothing'}`;
}

it('the events that are tried are those of the table', async () => {
  const events = await box.values('select distinct event from transition');
  expect(Object.keys(EVENTS).sort()).toEqual(events.map(String).sort());
});

it('what is in the table happens; what is not changes nothing', async () => {
  const observed: string[] = [];
  for (const [name, event] of Object.entries(EVENTS)) {
    for (const status of STATUSES) {
      const outcome = await outcomeOf(name, event, status);
      if (outcome !== null) observed.push(outcome);
    }
  }
  await box.clear();
  const allowed = await box.rows('select event, from_status, to_status, signals from transition');
  expect(observed.sort()).toEqual(
    allowed
      .map(({ event, from_status, to_status, signals }) =>
        line(event, from_status, to_status, signals),
      )
      .sort(),
  );
});

it('updated_at says when the status changed last', async () => {
  const wrong: string[] = [];
  for (const [name, event] of Object.entries(EVENTS)) {
    for (const status of STATUSES) {
      await prepare(event.task ?? {});
      await force(status);
      await box.rows(`update task set updated_at = '-infinity'`);
      const before = await observe();
      await event.happen();
      const after = await observe();
      const x = await box.task('x', `updated_at > '-infinity' as is_updated`);
      if (before.status !== after.status && x?.is_updated !== true)
        wrong.push(`${name}: ${status}`);
    }
  }
  await box.clear();
  expect(wrong).toEqual([]);
});

it('a task can be deleted in every status', async () => {
  for (const status of STATUSES) {
    await prepare({});
    await force(status);
    expect(await box.value(`select delete_tasks('{x}')`)).toBe(1);
    expect(await box.task('x', 'id')).toBeUndefined();
  }
  await box.clear();
});

it('every status can be reached and left', async () => {
  const rows = await box.rows(
    `select s as status, exists (select from transition t where t.to_status = s) as is_reached,
       exists (select from transition t where t.from_status = s and t.to_status <> s) as is_left
     from unnest(enum_range(null::status_code)) as s`,
  );
  for (const { status, is_reached, is_left } of rows) {
    expect({ status, is_reached, is_left }).toEqual({ status, is_reached: true, is_left: true });
  }
});
