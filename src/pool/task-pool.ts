import { inspect } from 'node:util';
import { InvalidOptionError } from '../errors.js';
import { type Logger, noopLogger } from '../logger.js';
import type { PoolFunction } from './attempt.js';
import { type Clock, systemClock } from './clock.js';
import { Crew } from './crew.js';
import { Line } from './line.js';
import { PoolStoppedError } from './pool-errors.js';
import { PoolJob, type PoolJobHost } from './pool-job.js';
import { fullPoolTaskOptions, type PoolTaskOptions } from './pool-task-options.js';
import type { PooledTask } from './pooled-task.js';

/*
 * Who is where:
 *
 *   queue() --> blocked --admitted--> waiting (for its start time) --due--> ready --a worker takes it--> running --> out
 *                                     waiting (back-off) <----------------- failed, retries left ----------'
 *
 * What is accepted and does not run has a place, of which there are queueSize: ready, delayed and backing off alike.
 * Otherwise retries and delayed tasks would gather without bound beside a queue that says it has one.
 * A task that fails keeps the place it ran in if no other is free, so that a retry never
 * waits for one: hence at most workers + queueSize are accepted and unfinished.
 *
 * The first in line that there is room for is admitted. That passes over those with a start time while there are
 * no places but a worker is free: a queue full of tomorrow's tasks keeps nobody else from working today.
 *
 * Nothing survives the process: what must, belongs in the database.
 */

/** How a pool works. */
export interface TaskPoolOptions {
  /** Tasks performed at once. Default 5. */
  readonly workers?: number | undefined;
  /** Accepted tasks that may wait: for a worker, for their start time, for their next attempt. Default 100. */
  readonly queueSize?: number | undefined;
  readonly logger?: Logger | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** From 0 up to 1, for the jitter of back-offs. Default Math.random. */
  readonly random?: (() => number) | undefined;
}

const DEFAULTS = Object.freeze({ workers: 5, queueSize: 100 });

/**
 * Performs functions in this process: so many at once, so many more waiting, with retries. It needs no database.
 *
 * Who queues faster than the workers work is held up in queue(). stop() finishes what was accepted.
 */
export class TaskPool {
  readonly #workers: number;
  readonly #queueSize: number;
  readonly #host: PoolJobHost;
  readonly #crew: Crew<PoolJob<unknown>>;
  /** Not accepted yet: one for each call of queue() that waits. */
  readonly #blocked = new Line<PoolJob<unknown>>();
  /** Accepted and unfinished: those ready, those running, and those that wait for a time. */
  readonly #jobs = new Set<PoolJob<unknown>>();
  readonly #ready = new Line<PoolJob<unknown>>();
  readonly #running = new Set<PoolJob<unknown>>();
  #isStopped = false;
  #stopped: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;
  readonly #cancelLimits: (() => void)[] = [];

  constructor(options: TaskPoolOptions = {}) {
    const { workers = DEFAULTS.workers, queueSize = DEFAULTS.queueSize } = options;
    const { logger = noopLogger, clock = systemClock, random = Math.random } = options;
    checkCount('workers', workers);
    checkCount('queueSize', queueSize);
    this.#workers = workers;
    this.#queueSize = queueSize;
    this.#host = {
      clock,
      random,
      logger,
      onDue: (job) => this.#onDue(job),
      onPaused: (job) => this.#onPaused(job),
      onSettled: (job) => this.#onSettled(job),
    };
    this.#crew = new Crew({
      workers,
      take: () => this.#take(),
      perform: (job) => job.perform(),
      onFault: (err) => logger.error({ err }, 'a worker of the pool met an error'),
    });
  }

  /** stop() was called: no more is accepted. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Tasks accepted and unfinished, those that run included. */
  get size(): number {
    return this.#jobs.size;
  }

  /** Tasks being performed. */
  get numRunning(): number {
    return this.#running.size;
  }

  /** Calls of queue() and run() held up because there is no room. */
  get numBlocked(): number {
    return this.#blocked.size;
  }

  /**
   * Resolves once the task is accepted, which is at once while there is room; not with its result, which the
   * PooledTask gives. Await it: the wait is the back-pressure.
   *
   * Rejects with PoolStoppedError if the pool is stopped before there is room, PoolTaskCancelledError if the
   * signal fires before, InvalidOptionError. Tasks begin in the order of becoming due, which is no promise about the
   * order in which they end. A function that ignores its signal goes on after a time-out, beside what its worker does
   * next. Tasks that queue further ones in their own pool, and wait for them, can fill it and wait for ever.
   */
  async queue<T>(fn: PoolFunction<T>, options: PoolTaskOptions = {}): Promise<PooledTask<T>> {
    if (this.#isStopped) throw new PoolStoppedError();
    if (typeof fn !== 'function') {
      throw new InvalidOptionError('fn', `is ${inspect(fn)}; give a function`);
    }
    const job = new PoolJob(fn, fullPoolTaskOptions(options), this.#host);
    this.#blocked.push(job);
    job.heedSignal();
    this.#admit();
    return job.accepted;
  }

  /** Queues the task and resolves with its result: what queue() and then PooledTask.result() do, and reject with. */
  async run<T>(fn: PoolFunction<T>, options: PoolTaskOptions = {}): Promise<T> {
    const task = await this.queue(fn, options);
    return task.result();
  }

  /**
   * Accepts no more, rejects those blocked in queue(), and resolves when all that was accepted has ended, retries
   * and delayed tasks included.
   *
   * With `timeoutMs`, what is left after that time is aborted: its signal fires and its result rejects with
   * PoolStoppedError, whether its function settles or not. Safe to call twice; a later call can add a time-out.
   * A task that waits for the stop of its own pool waits for itself.
   * InvalidOptionError if it is negative or no number, and then nothing is stopped.
   */
  async stop({ timeoutMs }: { readonly timeoutMs?: number | undefined } = {}): Promise<void> {
    if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
      throw new InvalidOptionError('timeoutMs', `is ${inspect(timeoutMs)}; give 0 or more`);
    }
    this.#isStopped = true;
    this.#stopped ??= this.#drain();
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) this.#limit(timeoutMs);
    await this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #drain(): Promise<void> {
    for (const job of [...this.#blocked]) job.abort(new PoolStoppedError());
    if (this.#jobs.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    for (const cancel of this.#cancelLimits.splice(0)) cancel();
    await this.#crew.idle();
    // Failures that nobody asked for are logged in this queue: who exits now has them in the log.
    await new Promise<void>((resolve) => process.nextTick(resolve));
  }

  #limit(timeoutMs: number): void {
    if (this.#jobs.size === 0) return;
    const problem = `the task had not ended ${timeoutMs} ms after stop(), and was aborted`;
    const abortAll = (): void => {
      for (const job of [...this.#jobs]) {
        job.abort(new PoolStoppedError(problem, { cause: job.lastThrown }));
      }
    };
    this.#cancelLimits.push(this.#host.clock.after(timeoutMs, abortAll));
  }

  #admit(): void {
    for (let job = this.#admissible(); job; job = this.#admissible()) {
      this.#blocked.remove(job);
      this.#jobs.add(job);
      job.accept();
      if (job.isDue) this.#makeReady(job);
    }
  }

  /** The first of those blocked that there is room for. */
  #admissible(): PoolJob<unknown> | undefined {
    if (this.#jobs.size >= this.#workers + this.#queueSize) return undefined;
    // Ready ones that an idle worker is about to take count as taken.
    const numBusy = Math.min(this.#workers, this.#running.size + this.#ready.size);
    if (this.#jobs.size - numBusy < this.#queueSize) return this.#blocked.first;
    return numBusy < this.#workers ? this.#firstDue() : undefined;
  }

  #firstDue(): PoolJob<unknown> | undefined {
    for (const job of this.#blocked) if (job.isDue) return job;
    return undefined;
  }

  #makeReady(job: PoolJob<unknown>): void {
    this.#ready.push(job);
    this.#crew.wake(1);
  }

  #take(): PoolJob<unknown> | undefined {
    const job = this.#ready.shift();
    if (job) this.#running.add(job);
    return job;
  }

  /** One that is still blocked may be admitted now, if only because it is due. */
  #onDue(job: PoolJob<unknown>): void {
    if (this.#jobs.has(job)) this.#makeReady(job);
    this.#admit();
  }

  /** Leaves its worker, but not the pool: there is no more room than before. */
  #onPaused(job: PoolJob<unknown>): void {
    this.#running.delete(job);
  }

  #onSettled(job: PoolJob<unknown>): void {
    this.#blocked.remove(job);
    this.#ready.remove(job);
    this.#running.delete(job);
    this.#jobs.delete(job);
    this.#admit();
    if (this.#jobs.size === 0) this.#onEmpty?.();
  }
}

function checkCount(option: string, value: number): void {
  if (!(Number.isInteger(value) && value >= 1)) {
    throw new InvalidOptionError(option, `is ${inspect(value)}; give a whole number from 1 up`);
  }
}
