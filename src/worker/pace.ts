import type { Job } from './job.js';

/**
 * How far ahead a manager owns tasks, by how fast it performs them.
 *
 * - `horizonMs`: as many wait as will begin within it. Several round trips to a database far away, so that workers do not
 *   run dry; and short enough that what others could begin at once is not held here. Handlers of 10 ms have 50 waiting with five
 *   workers, those of a second none, those that do nothing full batches.
 * - `begunWithinMs`: what is expected to begin so soon counts as begun from the start, which spares a statement; a crash
 *   costs it a try. Handlers that do nothing empty a whole batch within it.
 * - `memory`: so many handlers the mean looks back over: a few milliseconds when they are short, and when they are long, few
 *   tasks are owned anyway.
 * - `staleMs`: what was measured before a pause as long says nothing of what comes after it.
 * - `recountMs`: so often at most the workers that are held up are counted.
 */
export const PREFETCH = Object.freeze({
  horizonMs: 100,
  begunWithinMs: 20,
  memory: 32,
  staleMs: 10_000,
  recountMs: 5,
});

/** A clock that is read twice a task is coarser than the shortest handlers. */
const SHORTEST_MS = 0.001;

/**
 * Measures how long handlers take. A worker whose handler already goes on for longer than the horizon will begin
 * nothing within it: it does not count, so that long handlers are noticed before the first of them ends.
 */
export class Pace {
  readonly #workers: number;
  readonly #now: () => number;
  /** In the order of beginning. */
  readonly #performing = new Set<Job>();
  #meanMs = 0;
  #numMeasured = 0;
  #endedAt = 0;
  #numHeldUp = 0;
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(workers: number, now: () => number = () => performance.now()) {
    this.#workers = workers;
    this.#now = now;
  }

  /** Of the last handlers; null before the first has ended. */
  get meanMs(): number | null {
    return this.#numMeasured === 0 ? null : this.#meanMs;
  }

  get numPerforming(): number {
    return this.#performing.size;
  }

  /** Every worker has been busy with one task for longer than the horizon. */
  get isHeldUp(): boolean {
    return this.#countHeldUp(this.#now()) === this.#workers;
  }

  began(job: Job): void {
    job.startedAt = this.#now();
    this.#performing.add(job);
  }

  ended(job: Job): void {
    if (!this.#performing.delete(job)) return;
    this.#endedAt = this.#now();
    job.durationMs = this.#endedAt - job.startedAt;
    this.#numMeasured = Math.min(this.#numMeasured + 1, PREFETCH.memory);
    this.#meanMs += (job.durationMs - this.#meanMs) / this.#numMeasured;
  }

  /** How many tasks will begin within the time, besides those that idle workers begin at once; 0 while nothing is known. */
  numWithin(durationMs: number): number {
    if (this.#numMeasured === 0) return 0;
    const now = this.#now();
    if (this.#performing.size === 0 && now - this.#endedAt > PREFETCH.staleMs) this.#forget();
    if (this.#numMeasured === 0) return 0;
    const free = this.#workers - this.#countHeldUp(now);
    return Math.floor((free * durationMs) / Math.max(this.#meanMs, SHORTEST_MS));
  }

  /** How many tasks one worker performs within the horizon, at least 1. */
  numPerWorker(): number {
    return Math.max(1, Math.floor(this.numWithin(PREFETCH.horizonMs) / this.#workers));
  }

  #countHeldUp(now: number): number {
    if (now - this.#countedAt < PREFETCH.recountMs) return this.#numHeldUp;
    this.#countedAt = now;
    this.#numHeldUp = 0;
    for (const job of this.#performing) {
      if (now - job.startedAt <= PREFETCH.horizonMs) break;
      this.#numHeldUp++;
    }
    return this.#numHeldUp;
  }

  #forget(): void {
    this.#numMeasured = 0;
    this.#meanMs = 0;
  }
}
