import type pg from 'pg';
import type { Database, RawRow } from './database.js';
import { SCHEDULE_COLUMNS, toScheduleRow } from './schedule-rows.js';
import type { ScheduleRecord } from './schedule-store.js';

/** A schedule whose row is locked by the transaction. */
export interface LockedSchedule {
  readonly schedule: ScheduleRecord;
  /** The task that it inserted last, or the run that it started, has not ended. */
  readonly isUnfinished: boolean;
}

/** What is fired in one pass: names from `from` on, before `end`, that are due by `now`. */
export interface Pass {
  readonly from: string;
  readonly end: string | null;
  readonly now: Date;
}

/** Where a pass stands, in the order of (due, name). */
export interface Position {
  readonly due: Date | string;
  readonly name: string;
}

/** What to say of a schedule that was locked; what is left out stays. */
export interface Advance {
  readonly nextDue: Date | null;
  readonly lastDue?: Date | undefined;
  readonly lastTaskId?: string | undefined;
  readonly numFired?: number;
  readonly numSkipped?: number;
  /** Left out: there was none. */
  readonly error?: string;
}

const LOCKED_COLUMNS = `${SCHEDULE_COLUMNS}, s.is_unfinished`;

/** Locks the first schedule of a pass after a position that nobody else has locked; null: there is none. */
export async function claimSchedule(
  database: Database,
  tx: pg.ClientBase,
  pass: Pass,
  after: Position,
): Promise<LockedSchedule | null> {
  const [row] = await database.rows(
    `select ${LOCKED_COLUMNS}
     from (
       select (c.schedule).*, c.is_unfinished
       from signalbox.claim_schedule($1, $2, $3, $4, $5) as c
     ) as s`,
    [pass.from, pass.end, after.due, after.name, pass.now],
    tx,
  );
  return row ? toLocked(row) : null;
}

/** Waits for the lock of a schedule; null: there is none of this name. */
export async function lockSchedule(
  database: Database,
  tx: pg.ClientBase,
  name: string,
): Promise<LockedSchedule | null> {
  const [row] = await database.rows(
    `select ${LOCKED_COLUMNS}
     from (select (c.schedule).*, c.is_unfinished from signalbox.lock_schedule($1) as c) as s`,
    [name],
    tx,
  );
  return row ? toLocked(row) : null;
}

/** Says what became of a schedule, in the transaction that locked it. */
export async function advanceSchedule(
  database: Database,
  tx: pg.ClientBase,
  name: string,
  { nextDue, lastDue, lastTaskId, numFired = 0, numSkipped = 0, error }: Advance,
): Promise<void> {
  await database.rows(
    'select signalbox.advance_schedule($1, $2, $3, $4, $5, $6, $7)',
    [name, nextDue, lastDue ?? null, lastTaskId ?? null, numFired, numSkipped, error ?? null],
    tx,
  );
}

function toLocked(row: RawRow): LockedSchedule {
  return { schedule: toScheduleRow(row), isUnfinished: row.at(-1) === 't' };
}
