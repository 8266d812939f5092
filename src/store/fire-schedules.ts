import type pg from 'pg';
import { DuplicateTaskError, SchemaVersionError, SignalboxError } from '../errors.js';
import type { Database, Query } from './database.js';
import { endOfPrefix } from './id-range.js';
import {
  advanceSchedule,
  claimSchedule,
  type LockedSchedule,
  type Pass,
  type Position,
} from './locked-schedule.js';
import type { FireReport, ScheduleFailure, ScheduleLogic } from './schedule-store.js';
import type { TaskInput } from './task.js';

/** What firing needs. */
export interface Firer {
  readonly database: Database;
  /** Runs a statement in a transaction of its own. */
  readonly query: Query;
  /** Inserts tasks in the transaction of `tx`; a failure leaves it usable. */
  readonly insert: (tasks: readonly TaskInput[], tx: pg.ClientBase) => Promise<unknown>;
  readonly logic: ScheduleLogic;
}

/** What became of one schedule that was due. */
interface Firing {
  readonly position: Position;
  readonly fired: readonly string[];
  readonly isHeld: boolean;
  readonly failure?: ScheduleFailure;
}

const START: Position = Object.freeze({ due: '-infinity', name: '' });

/**
 * One pass over the schedules that are due by the database's clock, each in a transaction of its own: see
 * claim_schedule. When nothing is due, it is one statement.
 */
export async function fireDue(firer: Firer, namePrefix: string): Promise<FireReport> {
  const range = { from: namePrefix, end: endOfPrefix(namePrefix) };
  const { now, untilDueMs } = await untilDue(firer.query, range, '-infinity');
  if (untilDueMs === null || untilDueMs > 0) {
    return { fired: [], failures: [], numHeld: 0, nextDueInMs: untilDueMs };
  }
  const firings: Firing[] = [];
  for await (const firing of firePass(firer, { ...range, now })) firings.push(firing);
  // What was due and is not fired is held, or locked by one who fires it.
  const next = await untilDue(firer.query, range, now);
  return {
    fired: firings.flatMap(({ fired }) => fired),
    failures: firings.flatMap(({ failure }) => failure ?? []),
    numHeld: firings.filter(({ isHeld }) => isHeld).length,
    nextDueInMs: next.untilDueMs,
  };
}

/** The clock of the database. */
export async function readClock(query: Query): Promise<Date> {
  const [row] = await query("select date_part('epoch', signalbox.now()) * 1000", []);
  return new Date(Math.floor(Number(row?.[0])));
}

/** The clock of the database, and how long it is until the first due time after `after`. */
async function untilDue(
  query: Query,
  { from, end }: Omit<Pass, 'now'>,
  after: Date | string,
): Promise<{ now: Date; untilDueMs: number | null }> {
  const [row] = await query(
    `select date_part('epoch', n) * 1000,
       date_part('epoch', signalbox.next_schedule_due($1, $2, $3) - n) * 1000
     from (select signalbox.now() as n) as clock`,
    [from, end, after],
  );
  const now = new Date(Math.floor(Number(row?.[0])));
  return { now, untilDueMs: row?.[1] == null ? null : Number(row[1]) };
}

async function* firePass(firer: Firer, pass: Pass): AsyncGenerator<Firing, void> {
  for (let after = START; ; ) {
    const firing = await firer.database.transaction(async (tx) => {
      const locked = await claimSchedule(firer.database, tx, pass, after);
      return locked && fire(firer, tx, locked, pass.now);
    });
    if (!firing) return;
    yield firing;
    after = firing.position;
  }
}

/** A fault of the task itself would come again: its due times are passed over, and the schedule says why. */
async function fire(
  { database, insert, logic }: Firer,
  tx: pg.ClientBase,
  { schedule, isUnfinished }: LockedSchedule,
  now: Date,
): Promise<Firing> {
  const { name, task } = schedule;
  const due = schedule.nextDue ?? now;
  const position = { due, name };
  const decision = logic.decide({ ...schedule, nextDue: due }, now, isUnfinished);
  if (decision.isHeld) return { position, fired: [], isHeld: true };
  const { nextDue, numSkipped } = decision;
  const tasks = decision.fire.map((time) => ({ ...task, id: `${name}/${time.toISOString()}` }));
  try {
    const fired = await insertFresh(insert, tx, tasks);
    await advanceSchedule(database, tx, name, {
      nextDue,
      lastDue: decision.fire.at(-1),
      lastTaskId: tasks.at(-1)?.id,
      numFired: fired.length,
      numSkipped,
    });
    return { position, fired, isHeld: false };
  } catch (error) {
    if (!isFaultOfTask(error)) throw error;
    const change = { nextDue, numSkipped: numSkipped + tasks.length, error: error.message };
    await advanceSchedule(database, tx, name, change);
    return { position, fired: [], isHeld: false, failure: { name, error } };
  }
}

/** Ids of those inserted: a due time whose task is there already has fired. */
async function insertFresh(
  insert: Firer['insert'],
  tx: pg.ClientBase,
  tasks: readonly TaskInput[],
): Promise<string[]> {
  if (tasks.length === 0) return [];
  try {
    await insert(tasks, tx);
    return tasks.map(({ id }) => id);
  } catch (error) {
    if (!(error instanceof DuplicateTaskError)) throw error;
    const fresh = tasks.filter(({ id }) => !error.ids.includes(id));
    if (fresh.length === tasks.length) throw error;
    return insertFresh(insert, tx, fresh);
  }
}

/** Anything else is of the database and will pass: the transaction is given up, and its due times stay. */
function isFaultOfTask(error: unknown): error is SignalboxError {
  return error instanceof SignalboxError && !(error instanceof SchemaVersionError);
}
