import pLimit, { type LimitFunction } from 'p-limit';

/** How a crew works. Its hooks are called once for each job, so none of them needs a closure or a promise of its own. */
export interface CrewOptions<Job extends object> {
  /** Jobs performed at once: a whole number from 1 up. */
  readonly workers: number;
  /** The next job that may begin; undefined: none for now. Called from the workers, and only while one is free. */
  readonly take: () => Job | undefined;
  /** Performs it. By contract it does not throw or reject: it has settled its job by itself. */
  readonly perform: (job: Job) => Promise<void>;
  /** It was performed, or `perform` broke its contract: called before this worker takes the next one. */
  readonly ended?: (job: Job) => void;
  /** A hook threw or rejected; `job` is undefined if that was `take`. The worker lives on. */
  readonly onFault: (thrown: unknown, job: Job | undefined) => void;
}

/**
 * A fixed number of workers that take jobs from a source and perform them.
 *
 *   idle --wake()--> active --take() gave none--> idle
 *
 * An active worker takes and performs in a loop: a promise a worker is all that the crew itself makes. p-limit keeps the
 * loops to their number; which of them are idle is counted here, in the same turn as the `take` that gave
 * none, because p-limit learns of it some microtasks later, and a wake-up in between would be lost.
 *
 * The crew holds no jobs: whoever adds one to the source wakes a worker for it.
 */
export class Crew<Job extends object> {
  readonly #options: CrewOptions<Job>;
  readonly #limit: LimitFunction;
  readonly #work: () => Promise<void>;
  #numActive = 0;
  #onIdle: (() => void)[] = [];

  constructor(options: CrewOptions<Job>) {
    this.#options = options;
    this.#limit = pLimit(options.workers);
    this.#work = () => this.#loop();
  }

  /** Workers that perform a job or were woken to take one. */
  get numActive(): number {
    return this.#numActive;
  }

  get numIdle(): number {
    return this.#options.workers - this.#numActive;
  }

  /** So many jobs may have come to the source: wakes as many idle workers, or all that there are. */
  wake(numJobs: number): void {
    const numWoken = Math.min(numJobs, this.numIdle);
    for (let i = 0; i < numWoken; i++) {
      this.#numActive++;
      void this.#limit(this.#work);
    }
  }

  /** Resolves once no worker is active, at once if none is. Jobs may come later: then they are active again. */
  idle(): Promise<void> {
    if (this.#numActive === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /** A worker, from waking to running out of jobs. */
  async #loop(): Promise<void> {
    for (let job = this.#take(); job; job = this.#take()) {
      try {
        await this.#options.perform(job);
      } catch (thrown) {
        this.#report(thrown, job);
      }
      this.#end(job);
    }
    this.#numActive--;
    if (this.#numActive === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** A source that throws has no job: its worker goes idle until the next wake-up, instead of asking without end. */
  #take(): Job | undefined {
    try {
      return this.#options.take();
    } catch (thrown) {
      this.#report(thrown, undefined);
      return undefined;
    }
  }

  #end(job: Job): void {
    try {
      this.#options.ended?.(job);
    } catch (thrown) {
      this.#report(thrown, job);
    }
  }

  /** A report that fails in turn, a logger that throws, has nobody left to hear of it; the worker must not die of it. */
  #report(thrown: unknown, job: Job | undefined): void {
    try {
      this.#options.onFault(thrown, job);
    } catch {}
  }
}
