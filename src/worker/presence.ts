import type { Logger } from '../logger.js';
import type { TaskStore, WorkerInfo } from '../store/task-store.js';
import { settlesWithin } from '../timers.js';

/*
 * Says in the database that workers are there, and what they perform, so that others can tell a task that waits for its
 * turn from one that nobody is there for. Nothing depends on it: a failure is logged, and the work goes on.
 *
 * One that falls silent counts as gone after three announcements that did not come.
 */

const EVERY_MS = 15_000;
const LASTS_MS = 3 * EVERY_MS;
/** A stop is not held up for longer by a database that does not answer. */
const RETIRE_WITHIN_MS = 1_000;

interface PresenceOptions {
  readonly store: Pick<TaskStore, 'announceWorker' | 'retireWorker'>;
  readonly logger: Logger;
  /** Read at each announcement; the ids stay the same. */
  readonly workers: () => readonly WorkerInfo[];
}

export class Presence {
  readonly #options: PresenceOptions;
  #timer: NodeJS.Timeout | undefined;
  /** Announcements one after another, so that none comes after the retirement. */
  #announced: Promise<void> = Promise.resolve();

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  start(): void {
    this.announce();
    this.#timer = setInterval(() => this.announce(), EVERY_MS);
  }

  /** What they perform has changed. Does nothing before the start or after the stop. */
  changed(): void {
    if (this.#timer) this.announce();
  }

  announce(): void {
    const { store } = this.#options;
    this.#announced = this.#announced.then(() =>
      this.#forEach(
        (worker) => store.announceWorker(worker, LASTS_MS),
        'announcing a worker failed',
      ),
    );
  }

  async stop(): Promise<void> {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    const { store } = this.#options;
    const retired = this.#announced.then(() =>
      this.#forEach(({ id }) => store.retireWorker(id), 'retiring a worker failed'),
    );
    await settlesWithin(retired, RETIRE_WITHIN_MS);
  }

  async #forEach(call: (worker: WorkerInfo) => Promise<void>, failure: string): Promise<void> {
    const { logger, workers } = this.#options;
    const calls = workers().map(async (worker) => {
      try {
        await call(worker);
      } catch (err) {
        logger.debug({ err, worker: worker.id }, failure);
      }
    });
    await Promise.all(calls);
  }
}
