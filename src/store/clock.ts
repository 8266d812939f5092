import { InvalidOptionError } from '../errors.js';
import type { Database, Query } from './database.js';
import { toInterval } from './durations.js';

/** What the engine's clock says: the server's time moved by so much, or one moment for ever. */
export type ClockSetting =
  | { readonly kind: 'moved'; readonly byMs: number }
  | { readonly kind: 'frozen'; readonly at: Date };

/** 10,000 years: what timestamptz and Date both can hold, with room to spare. */
const MAX_MOVE_MS = 10_000 * 365.25 * 86_400_000;
const LAST_YEAR = 9_999;

/** Calls of run_timers: each does up to 2,000 tasks; one that is locked is due again at once, so there must be an end. */
const MAX_TIMER_CALLS = 1_000;

/**
 * Puts a clock in the place of the engine's, for every session on the schema. Plans that sessions have cached go by it
 * from their next transaction on: Postgres invalidates them, the function inlined or not. A transaction under way may
 * keep the old clock until it locks something further.
 */
export async function replaceClock(database: Database, setting: ClockSetting): Promise<void> {
  await database.rows(
    `create or replace function signalbox.now() returns timestamptz language sql volatile as $$
       select ${toExpression(setting)}
     $$`,
    [],
  );
}

function toExpression(setting: ClockSetting): string {
  if (setting.kind === 'frozen') return `timestamptz '${checkTime(setting.at).toISOString()}'`;
  const { byMs } = setting;
  if (!(Math.abs(byMs) <= MAX_MOVE_MS)) {
    throw new InvalidOptionError('clock', `cannot be moved by ${byMs}; give milliseconds`);
  }
  return byMs === 0 ? 'clock_timestamp()' : `clock_timestamp() + interval '${toInterval(byMs)}'`;
}

/** InvalidOptionError for what is no date, and for years that timestamptz does not read as Date writes them. */
function checkTime(time: Date): Date {
  const year = time.getUTCFullYear();
  if (year >= 0 && year <= LAST_YEAR) return time;
  throw new InvalidOptionError(
    'clock',
    `cannot be set to ${time}; give a Date of a year up to 9999`,
  );
}

/** What the engine's clock says, rounded up so that it is no earlier than what is due, and the server's own. */
export async function readClocks(
  query: Query,
): Promise<{ readonly now: Date; readonly server: Date }> {
  const [row] = await query(
    `select ceil(1000 * extract(epoch from signalbox.now())),
       floor(1000 * extract(epoch from clock_timestamp()))`,
    [],
  );
  const [now, server] = row ?? [];
  return { now: new Date(Number(now)), server: new Date(Number(server)) };
}

/** Wakes every idle worker. Rows that are locked belong to workers that are being woken, or are about to look. */
export async function wakeSleepers(query: Query): Promise<void> {
  await query(
    `with woken as (
       delete from signalbox.sleeper s
       where s.ctid = any (array(select o.ctid from signalbox.sleeper o for update skip locked))
       returning s.channel
     )
     select pg_notify(w.channel, 'ready') from (select distinct channel from woken) as w`,
    [],
  );
}

/** Does all that is due. */
export async function runAllTimers(query: Query): Promise<void> {
  for (let calls = 0; calls < MAX_TIMER_CALLS; calls++) {
    const [row] = await query('select signalbox.run_timers()', []);
    if (Number(row?.[0]) === 0) return;
  }
}

/**
 * When the clock lets something happen next that has not happened: a start time or the end of a retry delay, the
 * lapse of a deadline, the end of a rate limit's pause. Null: nothing waits for time. Reads every timer.
 */
export async function nextEventAt(query: Query): Promise<Date | null> {
  const [row] = await query(
    `select ceil(1000 * extract(epoch from min(e.at)))
     from (
       select case when m.kind = 'start' then t.due_at else t.action_deadline end as at
       from signalbox.timer m cross join unnest(m.ids) as i (id)
         cross join lateral (select o.* from signalbox.task o where o.id = i.id limit 1) as t
       where m.kind = 'start' and t.status_code = 'pending'
         or m.kind = 'lease' and t.status_code = 'in-progress'
       union all
       select l.closed_until from signalbox.keyed_lane l
       where l.closed_until > signalbox.now() and exists (
         select from signalbox.ready r
         where r.queue = l.queue and r.action = l.action and r.key = l.key)
     ) as e`,
    [],
  );
  return row?.[0] == null ? null : new Date(Number(row[0]));
}
