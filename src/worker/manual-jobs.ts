import type { OwnedTask } from '../store/task-store.js';
import type { ActionContext, ActorResult } from './actor.js';
import { ManualJob } from './manual-job.js';

export interface JobsOptions {
  /** Ends the loop when it fires. */
  readonly signal?: AbortSignal;
}

interface ManualJobsOptions {
  /** A worker is to take a task. */
  readonly onWanted: () => void;
  /** No loop is left. */
  readonly onAbandoned: () => void;
}

/** For others, and without using up a try. */
const AT_ONCE = new Date(0);

type Next = IteratorResult<ManualJob, undefined>;

/*
 * Between the workers of a manager and loops over `manager.jobs()`.
 *
 * Each call of a loop's `next()` wants one job. A worker takes a task only while one is wanted, and performs it by offering it
 * here: from then on until it is settled, the worker is busy with it. So no more are in users' hands than there are
 * workers, and nothing is taken that nobody asked for.
 */
export class ManualJobs {
  readonly #options: ManualJobsOptions;
  readonly #wanting: ((next: Next) => void)[] = [];
  /** Those for whom whoever wanted them went away meanwhile. */
  readonly #offered: ManualJob[] = [];
  readonly #ends = new Set<() => void>();
  /** Taken for somebody, and not offered yet. */
  #numTaken = 0;

  constructor(options: ManualJobsOptions) {
    this.#options = options;
  }

  /** So many wait for a job that no worker has taken yet. */
  get numWanted(): number {
    return Math.max(0, this.#wanting.length - this.#numTaken);
  }

  /** Somebody loops. */
  get isOpen(): boolean {
    return this.#ends.size > 0;
  }

  /** A worker took a task for somebody: it is offered next, or comes to nothing. */
  taken(): void {
    this.#numTaken++;
  }

  cameToNothing(): void {
    this.#numTaken--;
    if (this.numWanted > 0) this.#options.onWanted();
  }

  /** Performs a task, as a handler does: by giving it to whoever wants one. */
  perform(task: OwnedTask, context: ActionContext): Promise<ActorResult> {
    return new Promise((resolve, reject) => {
      this.#numTaken--;
      const job = new ManualJob(task, context, resolve, reject);
      const give = this.#wanting.shift();
      if (give) give({ done: false, value: job });
      else if (this.isOpen) this.#offered.push(job);
      else job.snooze(AT_ONCE);
    });
  }

  /** A loop over jobs, from its first step until it is left, its signal fires, or the manager stops. */
  loop({ signal }: JobsOptions, begin: () => Promise<void>): AsyncIterableIterator<ManualJob> {
    const own = new Set<(next: Next) => void>();
    let hasEnded = false;
    const end = (): void => {
      hasEnded = true;
      signal?.removeEventListener('abort', end);
      for (const give of own) this.#withdraw(give);
      if (this.#ends.delete(end) && !this.isOpen) this.#abandon();
    };
    const open = async (): Promise<void> => {
      if (hasEnded || this.#ends.has(end)) return;
      signal?.addEventListener('abort', end);
      this.#ends.add(end);
      if (signal?.aborted) end();
      else await begin().catch((error) => endWith(error));
    };
    const endWith = (error: unknown): never => {
      end();
      throw error;
    };
    return {
      next: async () => {
        await open();
        return hasEnded ? { done: true, value: undefined } : this.#next(own);
      },
      return: async () => {
        end();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** All loops end at their next step. */
  stop(): void {
    for (const end of [...this.#ends]) end();
  }

  #next(own: Set<(next: Next) => void>): Promise<Next> {
    const value = this.#nextOffered();
    if (value) return Promise.resolve({ done: false, value });
    return new Promise((resolve) => {
      const give = (next: Next): void => {
        own.delete(give);
        resolve(next);
      };
      own.add(give);
      this.#wanting.push(give);
      this.#options.onWanted();
    });
  }

  #nextOffered(): ManualJob | undefined {
    for (let job = this.#offered.shift(); job; job = this.#offered.shift()) {
      if (!job.signal.aborted) return job;
    }
    return undefined;
  }

  #abandon(): void {
    for (const job of this.#offered.splice(0)) job.snooze(AT_ONCE);
    this.#options.onAbandoned();
  }

  #withdraw(give: (next: Next) => void): void {
    const at = this.#wanting.indexOf(give);
    if (at >= 0) this.#wanting.splice(at, 1);
    give({ done: true, value: undefined });
  }
}
