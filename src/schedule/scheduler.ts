import { setTimeout as delay } from 'node:timers/promises';
import { InvalidOptionError } from '../errors.js';
import { type Logger, noopLogger } from '../logger.js';
import type { FireReport, ScheduleStore } from '../store/schedule-store.js';

/*
 * Fires schedules. Any number of processes may do so at once; none of them leads.
 *
 * What is due is decided by the database's clock (signalbox.now()), never by this process's, which only measures how
 * long to sleep. A process whose clock is wrong fires neither too early nor twice.
 *
 * Firing one schedule is one transaction: lock its row, decide which of its due times fire (catch-up.ts), insert their
 * tasks, move its next due time on, commit.
 *
 * - Two at once: rows are claimed with SKIP LOCKED, so each takes another schedule. One who comes after the commit
 *   finds the next due time moved, one who comes before passes the row over. Should a due time come up again all the
 *   same (a schedule removed and put again, a database restored), the id of its task, `<name>/<due time>`, is taken.
 * - A crash before the commit leaves nothing: no task, the due time not moved. Another fires it when it next looks,
 *   in 15 seconds at most. A crash after the commit has fired. The task itself is then owned and performed like any
 *   other, at least once.
 * - A lost connection, an error of the database: the pass is given up, a pause, and the next.
 * - A task that cannot be inserted (an unknown target, a body that does not fit its schema): that due time is passed
 *   over, logged and kept as lastError. The other schedules go on.
 *
 *   sleeping --next due time, changed, 15 s--> firing --all done--> sleeping
 *   firing --error--> backing off --errWaitTimeMs--> firing
 *   any --stop--> stopped --start--> firing
 *
 * A schedule put or resumed in this process ends the sleep; one of another process is seen within 15 seconds. While a
 * schedule waits for its last task to end, it is looked at after 1 s, 2 s, ..., 15 s: nobody tells.
 */

export interface SchedulerOptions {
  /** Sleeps no longer than this: what it takes to see what other processes put. Default 15,000. */
  maxSleepMs?: number;
  /** Pause after an error of the database. Default 3,000. */
  errWaitTimeMs?: number;
  logger?: Logger;
}

/** What it needs of a TaskStore. */
interface ScheduleSource {
  readonly schedules: Pick<ScheduleStore, 'fireDue' | 'onChange'>;
}

const DEFAULTS = Object.freeze({ maxSleepMs: 15_000, errWaitTimeMs: 3_000 });
const FIRST_HELD_MS = 1_000;

/** Fires the schedules of a store: of a prefix, where the store is one. See the essay above. */
export class Scheduler {
  readonly #store: ScheduleSource;
  readonly #options: Required<Omit<SchedulerOptions, 'logger'>>;
  readonly #logger: Logger;
  #running: { readonly ended: Promise<void>; readonly stopping: AbortController } | undefined;
  #heldMs = FIRST_HELD_MS;
  #isChanged = false;
  #wake: (() => void) | undefined;

  constructor(store: ScheduleSource, options: SchedulerOptions = {}) {
    const { logger = noopLogger, ...given } = options;
    this.#store = store;
    this.#options = { ...DEFAULTS, ...given };
    this.#logger = logger;
    for (const [option, value] of Object.entries(this.#options)) {
      if (value > 0) continue;
      throw new InvalidOptionError(option, `is ${value}; give milliseconds, more than 0`);
    }
  }

  /** Begins to fire. Does nothing when started already; after `stop` it starts again. */
  start(): void {
    if (this.#running) return;
    const stopping = new AbortController();
    this.#running = { stopping, ended: this.#run(stopping.signal) };
  }

  /** Resolves when nothing is being fired any more. Safe to call twice and before start. */
  async stop(): Promise<void> {
    const running = this.#running;
    running?.stopping.abort();
    this.#wake?.();
    await running?.ended;
    if (this.#running === running) this.#running = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /**
   * One pass: fires what is due now and resolves with how many tasks that made. Needs no `start`: for tests, and for
   * loops of one's own. Rejects with the database's error, where a scheduler that was started would pause.
   */
  async fireDue(): Promise<number> {
    const { fired } = await this.#pass();
    return fired.length;
  }

  async #run(stopping: AbortSignal): Promise<void> {
    const unsubscribe = this.#store.schedules.onChange(() => {
      this.#isChanged = true;
      this.#wake?.();
    });
    while (!stopping.aborted) {
      this.#isChanged = false;
      const sleepMs = await this.#passSafely();
      if (!stopping.aborted && !this.#isChanged) await this.#sleep(sleepMs);
    }
    unsubscribe();
  }

  /** Resolves with how long to sleep after it. */
  async #passSafely(): Promise<number> {
    try {
      return this.#sleepAfter(await this.#pass());
    } catch (err) {
      this.#logger.warn({ err }, 'firing schedules failed');
      return this.#options.errWaitTimeMs;
    }
  }

  async #pass(): Promise<FireReport> {
    const report = await this.#store.schedules.fireDue();
    for (const { name, error } of report.failures) {
      this.#logger.error({ err: error, schedule: name }, 'the task of a schedule was not inserted');
    }
    if (report.fired.length > 0) this.#logger.debug({ ids: report.fired }, 'schedules fired');
    return report;
  }

  #sleepAfter({ fired, numHeld, nextDueInMs }: FireReport): number {
    const { maxSleepMs } = this.#options;
    this.#heldMs = fired.length > 0 || numHeld === 0 ? FIRST_HELD_MS : this.#heldMs;
    const sleepMs = Math.min(nextDueInMs ?? maxSleepMs, maxSleepMs);
    if (numHeld === 0) return sleepMs;
    const heldMs = this.#heldMs;
    this.#heldMs = Math.min(2 * heldMs, maxSleepMs);
    return Math.min(sleepMs, heldMs);
  }

  async #sleep(durationMs: number): Promise<void> {
    if (durationMs <= 0) return;
    const waking = new AbortController();
    this.#wake = () => waking.abort();
    // A timer may be early by a millisecond, and would find nothing due.
    await delay(Math.ceil(durationMs) + 1, undefined, { signal: waking.signal }).catch(() => {});
    this.#wake = undefined;
  }
}
