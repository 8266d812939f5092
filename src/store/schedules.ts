import type pg from 'pg';
import type { RawRow } from './database.js';
import { type Firer, fireDue, readClock } from './fire-schedules.js';
import { endOfPrefix } from './id-range.js';
import { advanceSchedule, type LockedSchedule, lockSchedule } from './locked-schedule.js';
import { ScheduleBusyError, ScheduleNotFoundError } from './schedule-errors.js';
import { SCHEDULE_COLUMNS, timesFrom, toScheduleRow } from './schedule-rows.js';
import type { FireReport, Schedule, ScheduleInput, ScheduleStore } from './schedule-store.js';

/** The schedule verbs of sql/functions as methods. What they promise is said at ScheduleStore. */
export class PgScheduleStore implements ScheduleStore {
  readonly #firer: Firer;
  readonly #listeners = new Set<() => void>();

  constructor(firer: Firer) {
    this.#firer = firer;
  }

  async put(input: ScheduleInput): Promise<Schedule> {
    const { query, logic } = this.#firer;
    const { name, rule, task, catchUp, mayOverlap } = logic.check(input);
    await query('select signalbox.put_schedule($1, $2, $3, $4, $5, $6)', [
      name,
      JSON.stringify(rule),
      JSON.stringify(task),
      JSON.stringify(catchUp),
      mayOverlap,
      logic.nextAfter(rule, await readClock(query)),
    ]);
    this.#changed();
    const schedule = await this.get(name);
    if (!schedule) throw new ScheduleNotFoundError(name);
    return schedule;
  }

  async pause(name: string): Promise<void> {
    const [row] = await this.#firer.query('select signalbox.pause_schedule($1)', [name]);
    if (row?.[0] !== 't') throw new ScheduleNotFoundError(name);
  }

  async resume(name: string): Promise<void> {
    const { query, database, logic } = this.#firer;
    const now = await readClock(query);
    await database.transaction(async (tx) => {
      const { schedule } = await this.#lock(tx, name);
      const nextDue = logic.nextAfter(schedule.rule, now);
      await database.rows('select signalbox.resume_schedule($1, $2)', [name, nextDue], tx);
    });
    this.#changed();
  }

  async runNow(name: string): Promise<string> {
    const { query, database, insert } = this.#firer;
    const now = await readClock(query);
    return database.transaction(async (tx) => {
      const { schedule, isUnfinished } = await this.#lock(tx, name);
      const { task, nextDue, lastTaskId, mayOverlap } = schedule;
      if (isUnfinished && !mayOverlap) throw new ScheduleBusyError(name, lastTaskId ?? '');
      const id = `${name}/now-${now.toISOString()}`;
      await insert([{ ...task, id }], tx);
      await advanceSchedule(database, tx, name, { nextDue, lastTaskId: id, numFired: 1 });
      return id;
    });
  }

  async remove(name: string): Promise<boolean> {
    const [row] = await this.#firer.query('select signalbox.remove_schedule($1)', [name]);
    return row?.[0] === 't';
  }

  async get(name: string): Promise<Schedule | null> {
    const [row] = await this.#firer.query(
      `select ${SCHEDULE_COLUMNS} from signalbox.get_schedule($1) as s`,
      [name],
    );
    return row ? this.#toSchedule(row) : null;
  }

  async list({ namePrefix = '' }: { namePrefix?: string } = {}): Promise<Schedule[]> {
    const rows = await this.#firer.query(
      `select ${SCHEDULE_COLUMNS} from signalbox.list_schedules($1, $2) as s`,
      [namePrefix, endOfPrefix(namePrefix)],
    );
    return rows.map((row) => this.#toSchedule(row));
  }

  fireDue({ namePrefix = '' }: { namePrefix?: string } = {}): Promise<FireReport> {
    return fireDue(this.#firer, namePrefix);
  }

  onChange(listener: () => void): () => void {
    // An entry for each call, so that a listener given twice is taken back once at a time.
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  async #lock(tx: pg.ClientBase, name: string): Promise<LockedSchedule> {
    const locked = await lockSchedule(this.#firer.database, tx, name);
    if (!locked) throw new ScheduleNotFoundError(name);
    return locked;
  }

  #toSchedule(row: RawRow): Schedule {
    const record = toScheduleRow(row);
    const schedule = record.isPaused ? { ...record, nextDue: null } : record;
    return { ...schedule, next: (count) => timesFrom(this.#firer.logic, schedule, count) };
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
