import type { Logger } from '../logger.js';
import type { WatchReport } from '../store/task-store.js';

interface WatchQueueOptions {
  readonly watch: (ids: string[]) => Promise<readonly WatchReport[]>;
  readonly isAwaited: (id: string) => boolean;
  /** `call` is the number of the call that answered, counted from 1. */
  readonly onReport: (report: WatchReport, call: number) => void;
  readonly onFailure: (ids: readonly string[], error: unknown, call: number) => void;
  /** How long to pause after a call that failed. */
  readonly retryIntervalMs: number;
  readonly logger: Logger;
}

/** At most this many ids in a call. */
const PAGE_SIZE = 1000;
const FIRST_BUSY_DELAY_MS = 5;
const LONGEST_BUSY_DELAY_MS = 200;

type QueueState = 'paused' | 'idle' | 'scheduled' | 'calling' | 'stopped';

/**
 * Asks the database for tasks: one call at a time, each for all that were asked for meanwhile, a page at most.
 *
 * `paused` (the first state) -> resume() -> `idle` -> ask() -> `scheduled` (until the tick is over) -> `calling` ->
 * `idle`, or `paused` for a while when the call failed. What is asked for in any of these waits for the next call:
 * never for the one in flight, which may have looked before. stop() ends it from any state.
 *
 * Its timers do not keep the process alive; who awaits something does.
 */
export class WatchQueue {
  readonly #options: WatchQueueOptions;
  readonly #due = new Set<string>();
  readonly #busyTries = new Map<string, number>();
  readonly #busyTimers = new Set<NodeJS.Timeout>();
  #state: QueueState = 'paused';
  #pauseTimer: NodeJS.Timeout | undefined;
  #numCalls = 0;
  #isFailing = false;

  constructor(options: WatchQueueOptions) {
    this.#options = options;
  }

  /** How many calls have begun. */
  get numCalls(): number {
    return this.#numCalls;
  }

  /** Has a call that begins after now ask for these ids, unless nobody awaits them by then. */
  ask(ids: Iterable<string>): void {
    if (this.#state === 'stopped') return;
    for (const id of ids) this.#due.add(id);
    this.#schedule();
  }

  /** Ends a pause, the first one included. */
  resume(): void {
    if (this.#state !== 'paused') return;
    clearTimeout(this.#pauseTimer);
    this.#state = 'idle';
    this.#schedule();
  }

  /** Final. The answer of a call in flight is dropped. */
  stop(): void {
    this.#state = 'stopped';
    clearTimeout(this.#pauseTimer);
    for (const timer of this.#busyTimers) clearTimeout(timer);
    this.#busyTimers.clear();
    this.#busyTries.clear();
    this.#due.clear();
  }

  #schedule(): void {
    if (this.#state !== 'idle' || this.#due.size === 0) return;
    this.#state = 'scheduled';
    // Not a microtask: all that one read from the socket, or one turn of the callers' code, asks for is one call.
    setImmediate(() => void this.#callOnce());
  }

  async #callOnce(): Promise<void> {
    if (this.#isStopped()) return;
    this.#state = 'calling';
    const page = this.#takePage();
    const isAnswered = page.length === 0 || (await this.#call(page));
    if (this.#isStopped()) return;
    if (isAnswered) {
      this.#state = 'idle';
      this.#schedule();
    } else {
      this.#pause();
    }
  }

  #takePage(): string[] {
    const page: string[] = [];
    for (const id of this.#due) {
      if (page.length === PAGE_SIZE) break;
      this.#due.delete(id);
      if (this.#options.isAwaited(id)) page.push(id);
      else this.#busyTries.delete(id);
    }
    return page;
  }

  async #call(page: readonly string[]): Promise<boolean> {
    this.#numCalls += 1;
    const call = this.#numCalls;
    try {
      const reports = await this.#report(page);
      if (!this.#isStopped()) this.#onAnswer(reports, call);
      return true;
    } catch (error) {
      if (!this.#isStopped()) this.#onFailure(page, error, call);
      return false;
    }
  }

  /** A report for each id of the page. */
  async #report(page: readonly string[]): Promise<WatchReport[]> {
    // Postgres has no \0 in text: no task has such an id, and asking for it would fail the whole page.
    const storable = page.filter((id) => !id.includes('\0'));
    const reports = storable.length > 0 ? await this.#options.watch(storable) : [];
    const byId = new Map(reports.map((report) => [report.id, report]));
    return page.map((id) => byId.get(id) ?? { id, state: 'missing' });
  }

  #onAnswer(reports: readonly WatchReport[], call: number): void {
    if (this.#isFailing) this.#options.logger.info({}, 'Awaited tasks can be asked for again');
    this.#isFailing = false;
    const busy: string[] = [];
    for (const report of reports) {
      if (report.state === 'busy') busy.push(report.id);
      else this.#busyTries.delete(report.id);
      this.#options.onReport(report, call);
    }
    this.#askAgainLater(busy);
  }

  #onFailure(page: readonly string[], error: unknown, call: number): void {
    const level = this.#isFailing ? 'debug' : 'warn';
    this.#options.logger[level]({ err: error }, 'Asking for awaited tasks failed; it is repeated');
    this.#isFailing = true;
    for (const id of page) this.#due.add(id);
    this.#options.onFailure(page, error, call);
  }

  #pause(): void {
    this.#state = 'paused';
    this.#pauseTimer = setTimeout(() => this.resume(), this.#options.retryIntervalMs).unref();
  }

  /** Each busy task on its own back-off: one that stays locked does not hold up those locked for a moment. */
  #askAgainLater(busy: readonly string[]): void {
    const idsByDelayMs = new Map<number, string[]>();
    for (const id of busy) {
      const tries = this.#busyTries.get(id) ?? 0;
      this.#busyTries.set(id, tries + 1);
      const delayMs = Math.min(FIRST_BUSY_DELAY_MS * 2 ** tries, LONGEST_BUSY_DELAY_MS);
      const ids = idsByDelayMs.get(delayMs);
      if (ids === undefined) idsByDelayMs.set(delayMs, [id]);
      else ids.push(id);
    }
    for (const [delayMs, ids] of idsByDelayMs) this.#askAfter(delayMs, ids);
  }

  #askAfter(delayMs: number, ids: readonly string[]): void {
    const timer = setTimeout(() => {
      this.#busyTimers.delete(timer);
      this.ask(ids);
    }, delayMs).unref();
    this.#busyTimers.add(timer);
  }

  #isStopped(): boolean {
    return this.#state === 'stopped';
  }
}
