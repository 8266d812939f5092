import { setTimeout as delay } from 'node:timers/promises';
import { InvalidTokenError, SignalboxError } from '../errors.js';
import type {
  ReturnReport,
  TaskReturn,
  TaskReturnOutcome,
  TaskStore,
} from '../store/task-store.js';

/*
 * Natural batching: while a call of returnTasks is in flight, what comes meanwhile is gathered and goes with the
 * next; only a full batch goes without waiting, up to three at a time. An idle manager returns a task at once, a
 * busy one hundreds in a statement, and there is no timer to tune.
 *
 * A call that fails for a passing reason (no connection, a server that restarts) is made again, with growing
 * pauses, for as long as one of its tasks is still leased: past that, another owner may have it. The failed
 * call may have been carried out before the connection broke. Its repetition then reports an invalid
 * token for what is, in truth, returned: nothing is done twice, and only the log tells.
 *
 * A crash loses what was not returned: those tasks lapse and are tried again.
 */

/** Whose task is returned. */
export interface Returner {
  /** Until when it is worth sending: a time of performance.now(). */
  readonly expiresAt: number;
}

/** A return on its way. */
interface Entry<R extends Returner> {
  readonly one: TaskReturn;
  readonly returner: R;
  /** It stands in for a return that the database refused. */
  readonly isFallback: boolean;
}

interface ReturnBatcherOptions<R extends Returner> {
  readonly store: Pick<TaskStore, 'returnTasks'>;
  readonly maxBatch: number;
  readonly maxPauseMs: number;
  /** What to return instead of what was refused, so that the task is not held until its lease lapses. */
  readonly onRefused: (returner: R, refusal: Error) => TaskReturnOutcome;
  /** Called once for each return, with what was sent and what became of it. */
  readonly onReported: (returner: R, report: ReturnReport, sent: TaskReturn) => void;
  /** Called after those of a statement were reported. */
  readonly onBatch: (size: number, durationMs: number) => void;
  readonly onFailed: (error: unknown, numTasks: number) => void;
}

const FIRST_PAUSE_MS = 50;
const MAX_IN_FLIGHT = 3;

export class ReturnBatcher<R extends Returner> {
  readonly #options: ReturnBatcherOptions<R>;
  #gathered: Entry<R>[] = [];
  #numInFlight = 0;
  #isScheduled = false;
  #onDrained: (() => void) | undefined;

  constructor(options: ReturnBatcherOptions<R>) {
    this.#options = options;
  }

  add(one: TaskReturn, returner: R): void {
    this.#gathered.push({ one, returner, isFallback: false });
    this.#schedule();
  }

  /** Resolves once nothing is gathered or in flight. */
  async drained(): Promise<void> {
    if (this.#gathered.length === 0 && this.#numInFlight === 0) return;
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve;
    });
  }

  /** Handlers that end in the same turn of the event loop go together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      while (this.#isDue()) void this.#sendNext();
    });
  }

  #isDue(): boolean {
    const numGathered = this.#gathered.length;
    if (this.#numInFlight === 0) return numGathered > 0;
    return numGathered >= this.#options.maxBatch && this.#numInFlight < MAX_IN_FLIGHT;
  }

  async #sendNext(): Promise<void> {
    this.#numInFlight++;
    await this.#send(this.#take());
    this.#numInFlight--;
    if (this.#gathered.length > 0) this.#schedule();
    else if (this.#numInFlight === 0) this.#onDrained?.();
  }

  #take(): Entry<R>[] {
    const batch = this.#gathered;
    this.#gathered = batch.splice(this.#options.maxBatch);
    return batch;
  }

  async #send(batch: readonly Entry<R>[]): Promise<void> {
    const { store, maxPauseMs, onBatch, onFailed } = this.#options;
    let entries = batch;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      try {
        const sentAt = performance.now();
        const reports = await store.returnTasks(entries.map(({ one }) => one));
        const durationMs = performance.now() - sentAt;
        this.#settle(entries, reports);
        onBatch(entries.length, durationMs);
        return;
      } catch (error) {
        onFailed(error, entries.length);
        entries = this.#withoutExpired(entries, error);
        if (entries.length === 0) return;
        await delay(Math.min(pauseMs, maxPauseMs));
      }
    }
  }

  #settle(entries: readonly Entry<R>[], reports: readonly ReturnReport[]): void {
    for (const [i, entry] of entries.entries()) {
      const report = reports[i];
      if (!report) continue;
      if (report.ok || entry.isFallback || report.error instanceof InvalidTokenError) {
        this.#options.onReported(entry.returner, report, entry.one);
      } else {
        this.#gathered.push(this.#toFallback(entry, report.error));
      }
    }
  }

  #toFallback(entry: Entry<R>, refusal: Error): Entry<R> {
    const { id, token } = entry.one;
    const outcome = this.#options.onRefused(entry.returner, refusal);
    return { ...entry, one: { ...outcome, id, token }, isFallback: true };
  }

  #withoutExpired(entries: readonly Entry<R>[], cause: unknown): Entry<R>[] {
    const now = performance.now();
    return entries.filter((entry) => {
      const isAlive = entry.returner.expiresAt > now;
      if (!isAlive) {
        const error = new SignalboxError(
          'RETURN_FAILED',
          `Task ${JSON.stringify(entry.one.id)} could not be returned before its deadline; it will be tried again.`,
          { cause },
        );
        const report = { id: entry.one.id, ok: false, error } as const;
        this.#options.onReported(entry.returner, report, entry.one);
      }
      return isAlive;
    });
  }
}
