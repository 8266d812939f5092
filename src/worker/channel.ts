import type { ActionSettings } from './actor.js';
import type { Job } from './job.js';

/**
 * Jobs that wait for a worker, in the order in which they were owned.
 *
 * A job whose action already runs as often as its `concurrency` allows is passed over until one of that action
 * ends: it blocks none of the workers that others could use.
 */
export class Channel {
  #jobs: Job[] = [];
  #head = 0;
  #numParked = 0;
  readonly #limits = new Map<string, { left: number; readonly parked: Job[] }>();

  constructor(settings: Readonly<Record<string, ActionSettings>> = {}) {
    for (const [action, { concurrency }] of Object.entries(settings)) {
      if (concurrency !== undefined) this.#limits.set(action, { left: concurrency, parked: [] });
    }
  }

  /** Jobs that wait, parked ones included. */
  get size(): number {
    return this.#jobs.length - this.#head + this.#numParked;
  }

  put(job: Job): void {
    this.#jobs.push(job);
  }

  /** The next job that may begin, counted against its action's limit until `ended`; undefined: none. */
  take(): Job | undefined {
    for (let job = this.#shift(); job; job = this.#shift()) {
      const limit = this.#limits.get(job.task.action);
      if (!limit) return job;
      if (limit.left > 0) {
        limit.left--;
        return job;
      }
      limit.parked.push(job);
      this.#numParked++;
    }
    return undefined;
  }

  /** A job that was taken has ended: the next of its action may begin, before all others. */
  ended(job: Job): void {
    const limit = this.#limits.get(job.task.action);
    if (!limit) return;
    limit.left++;
    const next = limit.parked.shift();
    if (!next) return;
    this.#numParked--;
    this.#jobs.splice(this.#head, 0, next);
  }

  /** Takes out all that wait. */
  drain(): Job[] {
    const jobs = this.#jobs.slice(this.#head);
    for (const { parked } of this.#limits.values()) jobs.push(...parked.splice(0));
    this.#jobs = [];
    this.#head = 0;
    this.#numParked = 0;
    return jobs;
  }

  #shift(): Job | undefined {
    const job = this.#jobs[this.#head];
    if (!job) return undefined;
    if (++this.#head === this.#jobs.length) {
      this.#jobs = [];
      this.#head = 0;
    }
    return job;
  }
}
