import { setTimeout as delay } from 'node:timers/promises';
import type { TaskStore } from '../store/task-store.js';
import type { Job } from './job.js';
import { LeaseLostError } from './worker-errors.js';

/*
 * Tells the database which tasks owned ahead begin now, so that a crash costs only those a try.
 *
 * Natural batching, as for returns: while a call is in flight, what comes meanwhile is gathered and goes with the next. A
 * task that is not confirmed is not ours any more, and is lost unperformed. A call that fails is made again, with growing
 * pauses, for those tasks that the manager still holds: it gives up what it cannot keep.
 */

interface BeginBatcherOptions {
  readonly store: Pick<TaskStore, 'beginTasks'>;
  readonly maxPauseMs: number;
  readonly onFailed: (error: unknown, numTasks: number) => void;
}

const FIRST_PAUSE_MS = 50;

export class BeginBatcher {
  readonly #options: BeginBatcherOptions;
  /** Gathered or in flight. */
  readonly #announced = new Set<Job>();
  #gathered: Job[] = [];
  #isSending = false;

  constructor(options: BeginBatcherOptions) {
    this.#options = options;
  }

  /** `begin()` or `lose()` of each follows; twice added is once announced. */
  add(job: Job): void {
    if (job.isBegun || job.isDecided || this.#announced.has(job)) return;
    this.#announced.add(job);
    this.#gathered.push(job);
    if (!this.#isSending) void this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    // Those taken in the same turn of the event loop go together.
    await new Promise(setImmediate);
    while (this.#gathered.length > 0) {
      const batch = this.#gathered;
      this.#gathered = [];
      await this.#send(batch);
      for (const job of batch) this.#announced.delete(job);
    }
    this.#isSending = false;
  }

  async #send(batch: readonly Job[]): Promise<void> {
    const { store, maxPauseMs, onFailed } = this.#options;
    let jobs = batch.filter((job) => !job.isDecided);
    for (let pauseMs = FIRST_PAUSE_MS; jobs.length > 0; pauseMs *= 2) {
      try {
        const confirmed = new Set(await store.beginTasks(jobs.map(({ task }) => task)));
        for (const job of jobs) {
          if (confirmed.has(job.task.id)) job.begin();
          else job.lose(new LeaseLostError(job.task.id, 'gone'));
        }
        return;
      } catch (error) {
        onFailed(error, jobs.length);
        await delay(Math.min(pauseMs, maxPauseMs));
        jobs = jobs.filter((job) => !job.isDecided);
      }
    }
  }
}
