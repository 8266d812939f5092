import { ManagerStoppedError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { OwnedTask, Progress, TaskReturnOutcome } from '../store/task-store.js';
import type { ActionContext, ActionSettings, ActorResult } from './actor.js';
import { toViewable } from './error-text.js';
import type { Gate } from './gate.js';
import type { Lease } from './lease-keeper.js';
import { type OutcomeRules, ofHandingBack } from './outcome-rules.js';
import { HandlerTimeoutError } from './worker-errors.js';

/** What a job needs of its manager. One object for all jobs of an actor: closures per task would show at 40,000 a second. */
export interface JobHost {
  readonly logger: Logger;
  readonly rules: OutcomeRules;
  settings(action: string): ActionSettings | undefined;
  /** Has the task performed, by middleware and handler. */
  handle(task: OwnedTask, context: ActionContext): Promise<ActorResult>;
  /** Has the database told that it begins; then `job.begin()` or `job.lose()` is called. */
  announce(job: Job): void;
  /** Called before the handler. */
  onStarted(job: Job): void;
  /** Extends the job's lease now: InvalidTokenError if it is lost. */
  extend(job: Job): Promise<void>;
  /** Has the database told how far it is, in time. */
  report(job: Job, progress: Progress): void;
  /** Called once, with what to return the task as; `null`: it is lost. */
  onDecided(job: Job, outcome: TaskReturnOutcome | null): void;
}

/** How a task came to be owned. */
interface Owned {
  /** As performance.now(). */
  readonly askedAt: number;
  readonly prepared?: unknown;
}

/**
 * One owned task in a manager's hands, from owning to the end of its return.
 *
 *   waiting --perform()--> [announced --begin()-->] performing --handler settles, time-out--> decided
 *   any     --lose(), handBack()--> decided
 *
 * Only one that was owned ahead is announced: the database has to know which tries began when a crash comes.
 * The first decision stands: what a handler makes of the task after its signal fired is dropped.
 */
export class Job implements Lease {
  readonly task: OwnedTask;
  /** When it was asked for, as performance.now(). */
  readonly ownedAt: number;
  /** What its actor has prepared for it. */
  readonly prepared: unknown;
  /** When the lease runs out, as performance.now(); the LeaseKeeper moves it. */
  expiresAt: number;
  /** As they were when it was owned, or began. */
  settings: ActionSettings | undefined;
  /** Those that it is inside of: the Channel's. */
  gates: readonly Gate<Job>[] = [];
  isParked = false;
  /** As performance.now(); 0: no handler was called. The Pace measures both. */
  startedAt = 0;
  durationMs = 0;
  /** What the handler threw, or why the signal fired. */
  error: unknown;
  /** It goes back as if it had not been owned: nobody is told of an outcome. */
  isHandedBack = false;
  readonly host: JobHost;
  #state: 'waiting' | 'announced' | 'performing' | 'decided' = 'waiting';
  #isBegun: boolean;
  #reason: Error | undefined;
  /** Made when a handler asks for its signal: most never do. */
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #free: (() => void) | undefined;

  constructor(task: OwnedTask, { askedAt, prepared }: Owned, host: JobHost) {
    this.task = task;
    this.ownedAt = askedAt;
    this.prepared = prepared;
    this.expiresAt = askedAt + (task.maxDurationMs ?? Number.POSITIVE_INFINITY);
    this.#isBegun = task.isBegun !== false;
    this.host = host;
    this.settings = host.settings(task.action);
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** The database counts its try. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** Its handler was called. */
  get hasStarted(): boolean {
    return this.startedAt !== 0;
  }

  get isDecided(): boolean {
    return this.#state === 'decided';
  }

  /** It is not ours any more, for this reason. */
  lose(reason: Error): void {
    if (this.#fire(reason)) this.#decide(null);
  }

  /** The manager wants it no more: another may have it, and no try is used up. */
  handBack(why: string): void {
    if (!this.#fire(new ManagerStoppedError())) return;
    this.isHandedBack = true;
    this.#decide(ofHandingBack(why));
  }

  /** Goes back as this, unperformed. */
  settle(outcome: TaskReturnOutcome, error?: unknown): void {
    if (this.#state === 'decided') return;
    this.error = error;
    this.#decide(outcome);
  }

  /** Has the actor perform the task; resolves when it is decided. A throw, of whatever value, is a failed try. */
  perform(): Promise<void> {
    return new Promise((free) => {
      this.#free = free;
      this.#state = 'announced';
      if (this.#isBegun) this.#start();
      else this.host.announce(this);
    });
  }

  /** The database counts its try from now on: it goes on if it was taken for that. */
  begin(): void {
    this.#isBegun = true;
    if (this.#state === 'announced') this.#start();
  }

  /** Extends the lease now: InvalidTokenError if it is lost. */
  extend(): Promise<void> {
    return this.host.extend(this);
  }

  /** How far its handler says that it is. */
  report(progress: Progress): void {
    this.host.report(this, progress);
  }

  #start(): void {
    this.#state = 'performing';
    this.settings = this.host.settings(this.task.action);
    const { timeoutMs } = this.settings ?? {};
    if (timeoutMs !== undefined) this.#limit(timeoutMs);
    this.host.onStarted(this);
    try {
      this.host.handle(this.task, new JobContext(this, this.host.logger)).then(
        (result) => this.#succeed(result),
        (thrown) => this.#fail(thrown),
      );
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #succeed(result: ActorResult): void {
    if (this.#state === 'decided') return;
    this.#decide(this.host.rules.ofResult(this.task, result, this.settings));
  }

  #fail(thrown: unknown): void {
    if (this.#state === 'decided') return;
    this.error = toViewable(thrown);
    this.#decide(this.host.rules.ofThrown(this.task, this.error, this.settings));
  }

  #limit(timeoutMs: number): void {
    this.#timer = setTimeout(() => {
      const timeout = new HandlerTimeoutError(this.task.action, timeoutMs);
      if (this.#fire(timeout)) this.#fail(timeout);
    }, timeoutMs);
  }

  /** The signal, with this reason. False: it is decided already. */
  #fire(reason: Error): boolean {
    if (this.#state === 'decided') return false;
    this.error = reason;
    this.#reason = reason;
    this.#controller?.abort(reason);
    return true;
  }

  #decide(outcome: TaskReturnOutcome | null): void {
    // A listener of the signal may have decided it in between: a job by hand that is settled there.
    if (this.#state === 'decided') return;
    this.#state = 'decided';
    if (this.#timer) clearTimeout(this.#timer);
    this.host.onDecided(this, outcome);
    this.#free?.();
  }
}

/** What a handler sees of its job. */
class JobContext implements ActionContext {
  readonly #job: Job;
  readonly logger: Logger;
  #values: Map<PropertyKey, unknown> | undefined;

  constructor(job: Job, logger: Logger) {
    this.#job = job;
    this.logger = logger;
  }

  get signal(): AbortSignal {
    return this.#job.signal;
  }

  get prepared(): unknown {
    return this.#job.prepared;
  }

  get values(): Map<PropertyKey, unknown> {
    this.#values ??= new Map();
    return this.#values;
  }

  /** A function that needs no `this`: handlers take their context apart. */
  get heartbeat(): () => Promise<void> {
    return () => this.#job.extend();
  }

  get progress(): (report: Progress) => void {
    return (report) => this.#job.report(report);
  }
}
