import { InvalidOptionError } from '../errors.js';
import {
  type ClockSetting,
  nextEventAt,
  readClocks,
  replaceClock,
  runAllTimers,
  wakeSleepers,
} from '../store/clock.js';
import type { Database, Query } from '../store/database.js';

const REAL: ClockSetting = Object.freeze({ kind: 'moved', byMs: 0 });

/**
 * The clock of one schema, to be moved by a test: every process that uses the schema goes by it.
 *
 * Start times, retry delays, deadlines, schedules, uniqueness windows, rate limits and the ages that cleaning looks at
 * follow. After each move whatever has become due is done, and idle workers look again. Timers within a Node process do
 * not follow: a handler's `timeoutMs`, heartbeats, a wait's `timeoutMs`; nor does `createdAt`.
 *
 * Moves wait for one another, and are to be made by one process. The clock may go backwards; what has started stays so.
 */
export class TestClock {
  readonly #database: Database;
  readonly #query: Query;
  #setting = REAL;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(database: Database) {
    this.#database = database;
    this.#query = (text, values) => database.rows(text, values);
  }

  /** Whether it stands still. */
  get isFrozen(): boolean {
    return this.#setting.kind === 'frozen';
  }

  /** What it says now, at the database. */
  async now(): Promise<Date> {
    return (await readClocks(this.#query)).now;
  }

  /** Moves it on by so many milliseconds, back if negative; resolves with what it then says. */
  advance(durationMs: number): Promise<Date> {
    if (!Number.isFinite(durationMs)) {
      throw new InvalidOptionError('durationMs', `is ${durationMs}; give milliseconds`);
    }
    return this.#move((setting) =>
      setting.kind === 'frozen'
        ? { kind: 'frozen', at: new Date(setting.at.getTime() + durationMs) }
        : { kind: 'moved', byMs: setting.byMs + durationMs },
    );
  }

  /** Moves it to this moment, from which it goes on, unless it is frozen. */
  set(time: Date): Promise<Date> {
    return this.#move((setting, { server }) =>
      setting.kind === 'frozen' ? { kind: 'frozen', at: time } : movedTo(time, server),
    );
  }

  /** Stops it, at this moment; default: now. */
  freeze(time?: Date): Promise<Date> {
    return this.#move((_, { now }) => ({ kind: 'frozen', at: time ?? now }));
  }

  /** Lets a frozen one go on from where it stands. */
  unfreeze(): Promise<Date> {
    return this.#move((setting, { server }) =>
      setting.kind === 'frozen' ? movedTo(setting.at, server) : setting,
    );
  }

  /** Back to the server's time. */
  reset(): Promise<Date> {
    return this.#move(() => REAL);
  }

  /**
   * When time next lets something happen: a start time, the end of a retry delay or of a rate limit's pause, the lapse
   * of a deadline. Null: nothing waits for time. Schedules are not counted: they never end.
   */
  nextEventAt(): Promise<Date | null> {
    return nextEventAt(this.#query);
  }

  #move(
    next: (setting: ClockSetting, clocks: { now: Date; server: Date }) => ClockSetting,
  ): Promise<Date> {
    const moved = this.#turn.then(async () => {
      const setting = next(this.#setting, await readClocks(this.#query));
      await replaceClock(this.#database, setting);
      this.#setting = setting;
      await this.#catchUp();
      return this.now();
    });
    this.#turn = moved.catch(() => {});
    return moved;
  }

  /** First the workers: those whose time to sleep is over by the new clock would be forgotten by the timers, unwoken. */
  async #catchUp(): Promise<void> {
    await wakeSleepers(this.#query);
    await runAllTimers(this.#query);
  }
}

function movedTo(time: Date, server: Date): ClockSetting {
  return { kind: 'moved', byMs: time.getTime() - server.getTime() };
}
