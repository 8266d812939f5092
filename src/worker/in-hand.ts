import { Crew } from '../pool/crew.js';
import type {
  Progress,
  ReturnReport,
  TaskReturn,
  TaskReturnOutcome,
  TaskStore,
} from '../store/task-store.js';
import { AfterReturn } from './after-return.js';
import { BeginBatcher } from './begin-batcher.js';
import { Channel } from './channel.js';
import type { Job } from './job.js';
import { LeaseKeeper } from './lease-keeper.js';
import type { Notices } from './manager-events.js';
import type { FullManagerOptions } from './manager-options.js';
import type { ManualJobs } from './manual-jobs.js';
import type { OutcomeRules } from './outcome-rules.js';
import { type Pace, PREFETCH } from './pace.js';
import type { HandCounts } from './prefetch.js';
import { ProgressBatcher } from './progress-batcher.js';
import { ReturnBatcher } from './return-batcher.js';
import { Surplus } from './surplus.js';

interface InHandOptions {
  readonly store: TaskStore;
  readonly manager: FullManagerOptions;
  readonly notices: Notices;
  readonly rules: OutcomeRules;
  readonly pace: Pace;
  /** For actors without handlers. */
  readonly manual: ManualJobs | undefined;
  /** There may be more room for tasks than there was. */
  readonly onRoom: () => void;
  /** A batch was returned: what its tasks signalled may be ready. */
  readonly onSignalled: () => void;
}

/** How often handlers that report are written down, at most. */
const PROGRESS_INTERVAL_MS = 1_000;

/** Looking for room at each task taken would be a tenth of what a short task costs. The last one waiting is always looked at. */
const TAKES_PER_LOOK = 16;

/**
 * All that a manager has in hand: each job from owning to the end of its return.
 *
 *   hold() --> Channel --worker of the Crew--> [BeginBatcher -->] handler --> ReturnBatcher --> hooks --> out
 *
 * The LeaseKeeper keeps every one of them meanwhile. One that is lost, or handed back, leaves from wherever it is.
 */
export class InHand {
  readonly channel = new Channel();
  readonly #options: InHandOptions;
  readonly #crew: Crew<Job>;
  readonly #leases: LeaseKeeper<Job>;
  readonly #begins: BeginBatcher;
  readonly #progress: ProgressBatcher;
  readonly #returns: ReturnBatcher<Job>;
  readonly #after: AfterReturn;
  readonly #surplus: Surplus;
  #numReturned = 0;
  #numLost = 0;

  constructor(options: InHandOptions) {
    const { store, manager, notices, rules } = options;
    const { workers, maxTasks, maxDurationMs, heartbeatMs, errWaitTimeMs, onReturned } = manager;
    this.#options = options;
    this.#crew = new Crew({
      workers,
      take: () => this.#take(),
      perform: (job) => job.perform(),
      ended: (job) => this.#ended(job),
      onFault: (err, job) =>
        notices.logger.error({ err, id: job?.task.id }, 'a job was not settled'),
    });
    this.#leases = new LeaseKeeper({
      store,
      heartbeatMs,
      maxDurationMs,
      onFailed: (error, numTasks) => notices.failed('extend', error, numTasks),
    });
    this.#begins = new BeginBatcher({
      store,
      maxPauseMs: errWaitTimeMs,
      onFailed: (error, numTasks) => notices.failed('begin', error, numTasks),
    });
    this.#progress = new ProgressBatcher({
      store,
      intervalMs: PROGRESS_INTERVAL_MS,
      onFailed: (error, numTasks) => notices.failed('report', error, numTasks),
    });
    this.#after = new AfterReturn({ notices, onReturned });
    this.#surplus = new Surplus({
      pace: options.pace,
      numWaiting: () => this.channel.size,
      handBack: () => this.handBackUnstarted('all workers are busy'),
    });
    this.#returns = new ReturnBatcher({
      store,
      maxBatch: maxTasks,
      maxPauseMs: errWaitTimeMs,
      onRefused: (job, refusal) => {
        job.error = refusal;
        return rules.ofThrown(job.task, refusal, job.settings);
      },
      onReported: (job, report, sent) => this.#finish(job, report, sent),
      onBatch: (size, durationMs) => {
        notices.emit('batch', { size, durationMs });
        options.onRoom();
        options.onSignalled();
      },
      onFailed: (error, numTasks) => notices.failed('return', error, numTasks),
    });
  }

  get counts(): HandCounts {
    const { pace, manual } = this.#options;
    const { numIdle } = this.#crew;
    return {
      numWaiting: this.channel.size,
      numParked: this.channel.numParked,
      numPerforming: pace.numPerforming,
      numHeld: this.#leases.size,
      numIdle: manual ? Math.min(numIdle, manual.numWanted) : numIdle,
    };
  }

  get numReturned(): number {
    return this.#numReturned;
  }

  get numLost(): number {
    return this.#numLost;
  }

  /** From now on its lease is kept. */
  hold(job: Job): void {
    this.#leases.hold(job);
  }

  /** So many may have come to the channel, or be wanted. */
  wake(numJobs: number): void {
    this.#crew.wake(numJobs);
    this.#surplus.watch();
  }

  extend(job: Job): Promise<void> {
    return this.#leases.extend(job);
  }

  report(job: Job, progress: Progress): void {
    this.#progress.add(job, progress);
  }

  /** One owned ahead is about to be performed: with it the database is told of those that soon will be. */
  announce(job: Job): void {
    this.#begins.add(job);
    const numSoon = this.#options.pace.numWithin(PREFETCH.begunWithinMs);
    for (const next of this.channel.ahead(numSoon)) this.#begins.add(next);
  }

  started(job: Job): void {
    const { pace, notices } = this.#options;
    pace.began(job);
    if (!notices.has('started')) return;
    notices.emit('started', { task: job.task, waitedMs: job.startedAt - job.ownedAt });
  }

  /** `null`: the task is not ours any more. The worker goes on meanwhile. */
  decided(job: Job, outcome: TaskReturnOutcome | null): void {
    this.#options.pace.ended(job);
    if (outcome) this.#return(job, outcome);
    else this.#lost(job);
  }

  /** Those that no handler was called for, or those of them that `which` picks. */
  handBackUnstarted(why: string, which: (job: Job) => boolean = () => true): void {
    for (const job of [...this.#leases]) if (!job.hasStarted && which(job)) job.handBack(why);
    this.channel.sweep();
  }

  handBackAll(why: string): void {
    for (const job of [...this.#leases]) job.handBack(why);
  }

  /** Resolves once nothing is in hand, and hooks have settled; no lease is kept from then on. */
  async emptied(): Promise<void> {
    await this.#leases.empty();
    await this.#returns.drained();
    await this.#after.settled();
    this.#surplus.stop();
    this.#progress.stop();
    this.#leases.stop();
  }

  #take(): Job | undefined {
    const { manual, onRoom } = this.#options;
    if (manual?.numWanted === 0) return undefined;
    const job = this.channel.take();
    // The worker that asked is idle once this has returned.
    if (!job) queueMicrotask(onRoom);
    else if (this.channel.size % TAKES_PER_LOOK === 0) onRoom();
    if (job) manual?.taken();
    return job;
  }

  #ended(job: Job): void {
    this.channel.ended(job);
    if (job.gates.length > 0) this.#options.onRoom();
    if (!job.hasStarted) this.#options.manual?.cameToNothing();
  }

  #return(job: Job, outcome: TaskReturnOutcome): void {
    const { id, token } = job.task;
    const { statusCode, status, result, startAfter, tasks } = outcome;
    const { retryDelayMs, error, autoDelete } = outcome;
    this.#returns.add(
      { id, token, statusCode, status, result, startAfter, tasks, retryDelayMs, error, autoDelete },
      job,
    );
  }

  #finish(job: Job, report: ReturnReport, sent: TaskReturn): void {
    if (report.ok) {
      this.#numReturned++;
      this.#leases.release(job);
      this.#after.returned(job, sent, report);
    } else {
      const { logger } = this.#options.notices;
      logger.warn({ err: report.error, id: report.id }, 'a task was not returned');
      job.error = report.error;
      this.#lost(job);
    }
  }

  #lost(job: Job): void {
    this.#numLost++;
    this.#leases.release(job);
    const { notices, onRoom } = this.#options;
    notices.emit('lost', { task: job.task, reason: job.error });
    onRoom();
  }
}
