import { InvalidOptionError, ManagerStoppedError } from '../errors.js';
import { type Logger, noopLogger } from '../logger.js';
import { Crew } from '../pool/crew.js';
import type { OwnedTask, ReturnReport, TaskStore } from '../store/task-store.js';
import type { Actor, ActorResult } from './actor.js';
import { Channel } from './channel.js';
import { ClaimLoop } from './claim-loop.js';
import { Job, type JobHost } from './job.js';
import { LeaseKeeper } from './lease-keeper.js';
import { ReturnBatcher } from './return-batcher.js';

/** How a manager works. Durations in milliseconds. */
export interface ManagerOptions {
  /** Handlers that run at once. */
  workers?: number;
  /** Owned tasks that may wait in memory. */
  channelSize?: number;
  /** Tasks asked for, and returned, at a time. */
  maxTasks?: number;
  /** First pause when there was nothing to own; doubles up to 15 s while nothing comes. New work wakes it at once. */
  waitTimeMs?: number;
  /** Pause after an error of the database. */
  errWaitTimeMs?: number;
  /** How long an ownership lasts unless extended, which the manager does: how soon a crashed one's tasks come back. */
  maxDurationMs?: number;
  /** Default: `['default']`. */
  queues?: readonly string[];
  logger?: Logger;
}

const DEFAULTS = Object.freeze({
  workers: 5,
  channelSize: 1_000,
  maxTasks: 500,
  waitTimeMs: 300,
  errWaitTimeMs: 3_000,
  maxDurationMs: 1_800_000,
});

const MAX_IDLE_MS = 15_000;

/**
 * Owns tasks for an actor, has them performed, and returns them.
 *
 * Delivery is at least once: a task whose lease lapses (a crash, a database out of reach for longer than
 * maxDurationMs) is performed again, perhaps while the first handler still runs with its signal fired.
 *
 *   new --start()--> running --stop()--> draining --all returned--> stopped
 *
 * Each owned task is a Job: held by the LeaseKeeper, waiting in the Channel, performed by one of the workers of a
 * Crew, and returned through the ReturnBatcher. The ClaimLoop asks for more while there is room.
 */
export class ActionManager {
  readonly #logger: Logger;
  readonly #options: Required<Omit<ManagerOptions, 'logger' | 'queues'>>;
  readonly #host: JobHost;
  readonly #channel: Channel;
  readonly #workers: Crew<Job>;
  readonly #leases: LeaseKeeper;
  readonly #returns: ReturnBatcher<Job>;
  readonly #claims: ClaimLoop;
  /** Everything in hand: waiting, performed, on its way back. */
  readonly #jobs = new Set<Job>();
  #jobEnded: (() => void) | undefined;
  #state: 'new' | 'running' | 'draining' | 'stopped' = 'new';
  #stopped: Promise<void> | undefined;

  constructor(store: TaskStore, actor: Actor, options: ManagerOptions = {}) {
    const { logger = noopLogger, queues, ...given } = options;
    this.#options = { ...DEFAULTS, ...given };
    checkOptions(this.#options);
    const { workers, maxTasks, waitTimeMs, errWaitTimeMs, maxDurationMs } = this.#options;
    for (const [action, { schema }] of Object.entries(actor.settings ?? {})) {
      if (schema) store.registerBodySchema(action, schema);
    }
    this.#logger = logger;
    this.#host = {
      actor,
      logger,
      extend: (job) => this.#leases.extend(job),
      onDecided: (job, result) => this.#return(job, result),
    };
    this.#channel = new Channel(actor.settings);
    this.#workers = new Crew({
      workers,
      take: () => this.#take(),
      perform: (job) => job.perform(),
      ended: (job) => this.#channel.ended(job),
      onFault: (err, job) => logger.error({ err, id: job?.task.id }, 'a job was not settled'),
    });
    this.#leases = new LeaseKeeper({ store, logger });
    this.#returns = new ReturnBatcher({
      store,
      logger,
      maxBatch: maxTasks,
      maxPauseMs: errWaitTimeMs,
      onReported: (job, report) => this.#finish(job, report),
    });
    this.#claims = new ClaimLoop({
      store,
      request: {
        actorId: actor.id,
        actions: actor.actions,
        maxDurationMs,
        ...(queues ? { queues } : {}),
      },
      maxTasks,
      waitTimeMs,
      maxIdleMs: Math.max(waitTimeMs, MAX_IDLE_MS),
      errWaitTimeMs,
      logger,
      room: (besides) => this.#room(besides),
      onOwned: (tasks, ownedAt) => this.#accept(tasks, ownedAt),
    });
  }

  /** Begins to own tasks. Does nothing when started already; ManagerStoppedError once stopped. */
  async start(): Promise<void> {
    if (this.#state === 'running') return;
    if (this.#state !== 'new') throw new ManagerStoppedError();
    this.#state = 'running';
    this.#claims.start();
  }

  /**
   * Takes no more, hands back what has not begun without using up a try, lets what runs finish, and resolves
   * when all is returned. After `timeoutMs` (default: never) running handlers' signals fire and their tasks
   * are handed back too, whether they settle or not. Safe to call twice and before start.
   */
  stop({ timeoutMs }: { timeoutMs?: number } = {}): Promise<void> {
    this.#stopped ??= this.#drain(timeoutMs);
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #drain(timeoutMs: number | undefined): Promise<void> {
    this.#state = 'draining';
    await this.#claims.stop();
    for (const job of this.#channel.drain()) {
      job.abort(new ManagerStoppedError());
      void job.perform();
    }
    const limit =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => this.#abortAll(), Math.max(0, timeoutMs));
    while (this.#jobs.size > 0) {
      await new Promise<void>((resolve) => {
        this.#jobEnded = resolve;
      });
    }
    clearTimeout(limit);
    await this.#returns.drained();
    this.#leases.stop();
    this.#state = 'stopped';
  }

  #abortAll(): void {
    for (const job of this.#jobs) job.abort(new ManagerStoppedError());
  }

  /**
   * How many tasks to ask for: none until a batch fits, or the workers are about to run dry. Tasks on their way back
   * count as well, from as many on as may wait: a database that takes them slowly is not asked for more.
   */
  #room(besides: number): number {
    const { channelSize, maxTasks, workers } = this.#options;
    const numWaiting = this.#channel.size + besides;
    const numReturning = this.#jobs.size - this.#channel.size - this.#workers.numActive;
    const free = channelSize - numWaiting - Math.max(0, numReturning - channelSize);
    return free >= maxTasks || (free > 0 && numWaiting < workers) ? free : 0;
  }

  #accept(tasks: readonly OwnedTask[], ownedAt: number): void {
    for (const task of tasks) {
      const job = new Job(task, ownedAt, this.#host);
      this.#jobs.add(job);
      this.#leases.hold(job);
      this.#channel.put(job);
    }
    this.#workers.wake(tasks.length);
  }

  #take(): Job | undefined {
    const job = this.#channel.take();
    if (job) this.#claims.roomGrew();
    return job;
  }

  /** `null`: the task is not ours any more. The worker goes on meanwhile. */
  #return(job: Job, result: ActorResult | null): void {
    if (!result) {
      this.#forget(job);
      return;
    }
    const { id, token } = job.task;
    const { statusCode, status, result: value, startAfter, tasks } = result;
    this.#returns.add({ id, token, statusCode, status, result: value, startAfter, tasks }, job);
  }

  #finish(job: Job, report: ReturnReport): void {
    if (!report.ok) {
      this.#logger.warn({ err: report.error, id: report.id }, 'a task was not returned');
    }
    this.#forget(job);
  }

  #forget(job: Job): void {
    this.#leases.release(job);
    this.#jobs.delete(job);
    this.#claims.roomGrew();
    this.#jobEnded?.();
  }
}

function checkOptions(options: Record<keyof typeof DEFAULTS, number>): void {
  for (const [option, value] of Object.entries(options)) {
    const isCount = !option.endsWith('Ms');
    if (!(value > 0) || (isCount && !Number.isInteger(value))) {
      const wanted = isCount ? 'a whole number from 1 up' : 'milliseconds, more than 0';
      throw new InvalidOptionError(option, `is ${value}; give ${wanted}`);
    }
  }
}
