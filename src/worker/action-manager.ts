import pLimit, { type LimitFunction } from 'p-limit';
import { InvalidOptionError, ManagerStoppedError } from '../errors.js';
import { type Logger, noopLogger } from '../logger.js';
import type { OwnedTask, TaskStore } from '../store/task-store.js';
import type { Actor, ActorResult } from './actor.js';
import { ClaimLoop } from './claim-loop.js';
import { Job } from './job.js';
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
 * Each owned task is held by the LeaseKeeper, waits for one of the `workers` slots (and one of its action's,
 * if limited), is performed, and goes back through the ReturnBatcher. ClaimLoop asks for more while there is room.
 */
export class ActionManager {
  readonly #actor: Actor;
  readonly #logger: Logger;
  readonly #options: Required<Omit<ManagerOptions, 'logger' | 'queues'>>;
  readonly #slots: LimitFunction;
  readonly #actionSlots = new Map<string, LimitFunction>();
  readonly #leases: LeaseKeeper;
  readonly #returns: ReturnBatcher;
  readonly #claims: ClaimLoop;
  readonly #jobs = new Set<Job>();
  #numWaiting = 0;
  #roomWanted: (() => void) | undefined;
  #jobEnded: (() => void) | undefined;
  #state: 'new' | 'running' | 'draining' | 'stopped' = 'new';
  #stopped: Promise<void> | undefined;

  constructor(store: TaskStore, actor: Actor, options: ManagerOptions = {}) {
    const { logger = noopLogger, queues, ...given } = options;
    this.#options = { ...DEFAULTS, ...given };
    checkOptions(this.#options);
    this.#actor = actor;
    this.#logger = logger;
    this.#slots = pLimit(this.#options.workers);
    for (const [action, { concurrency, schema }] of Object.entries(actor.settings ?? {})) {
      if (concurrency !== undefined) this.#actionSlots.set(action, pLimit(concurrency));
      if (schema) store.registerBodySchema(action, schema);
    }
    const { maxTasks, waitTimeMs, errWaitTimeMs, maxDurationMs } = this.#options;
    this.#leases = new LeaseKeeper({ store, logger });
    this.#returns = new ReturnBatcher({
      store,
      logger,
      maxBatch: maxTasks,
      maxPauseMs: errWaitTimeMs,
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
      room: () => this.#room(),
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
    this.#roomWanted?.();
    await this.#claims.stop();
    this.#handBackWaiting();
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

  /** Past the slots, which may be taken by handlers that run for long. */
  #handBackWaiting(): void {
    for (const job of this.#jobs) {
      if (job.isBegun) continue;
      job.abort(new ManagerStoppedError());
      void this.#work(job);
    }
  }

  #abortAll(): void {
    for (const job of this.#jobs) job.abort(new ManagerStoppedError());
  }

  /** Asks again only when a good part of a batch fits, or the handlers are about to run dry. */
  async #room(): Promise<number> {
    const { channelSize, maxTasks, workers } = this.#options;
    const isWorth = () => {
      const free = channelSize - this.#numWaiting;
      return free >= maxTasks || (free > 0 && this.#numWaiting < workers);
    };
    while (this.#state === 'running' && !isWorth()) {
      await new Promise<void>((resolve) => {
        this.#roomWanted = resolve;
      });
    }
    return channelSize - this.#numWaiting;
  }

  #accept(tasks: readonly OwnedTask[], ownedAt: number): void {
    for (const task of tasks) {
      const job = new Job(task);
      this.#jobs.add(job);
      this.#numWaiting++;
      this.#leases.hold(task, ownedAt, (reason) => job.abort(reason));
      this.#enqueue(job);
    }
  }

  /** A job waits for its action's slot first, so that it blocks none of the slots that others could use. */
  #enqueue(job: Job): void {
    const run = () => this.#slots(() => this.#work(job));
    const actionSlots = this.#actionSlots.get(job.task.action);
    void (actionSlots ? actionSlots(run) : run());
  }

  /** Resolves when the slot is free again: before the task has been returned. Never rejects. */
  #work(job: Job): Promise<void> {
    // Handed back while it waited for its slot.
    if (job.isBegun) return Promise.resolve();
    this.#numWaiting--;
    this.#roomWanted?.();
    return new Promise((free) => {
      job.perform(
        this.#actor,
        {
          logger: this.#logger,
          heartbeat: () => this.#leases.extend(job.task),
          timeoutMs: this.#actor.settings?.[job.task.action]?.timeoutMs,
        },
        (result) => {
          this.#return(job, result);
          free();
        },
      );
    });
  }

  /** `null`: the task is not ours any more. */
  #return(job: Job, result: ActorResult | null): void {
    if (!result) {
      this.#forget(job);
      return;
    }
    const { id, token } = job.task;
    this.#returns.add({
      one: { ...result, id, token },
      expiresAt: () => this.#leases.expiresAt(job.task),
      onReported: (report) => {
        if (!report.ok) this.#logger.warn({ err: report.error, id }, 'a task was not returned');
        this.#forget(job);
      },
    });
  }

  #forget(job: Job): void {
    this.#leases.release(job.task);
    this.#jobs.delete(job);
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
