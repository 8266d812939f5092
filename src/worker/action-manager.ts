import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { InvalidOptionError, ManagerStoppedError } from '../errors.js';
import type { OwnRequest, TaskStore, WorkerInfo } from '../store/task-store.js';
import { ActorHost } from './actor-host.js';
import { type Claim, type Claimed, ClaimLoop } from './claim-loop.js';
import { ClaimTurns } from './claim-turns.js';
import { InHand } from './in-hand.js';
import { type ManagerEvents, Notices } from './manager-events.js';
import {
  type FullManagerOptions,
  fullManagerOptions,
  type ManagerOptions,
} from './manager-options.js';
import { type ManagerStats, toStats } from './manager-stats.js';
import type { ManualJob } from './manual-job.js';
import { type JobsOptions, ManualJobs } from './manual-jobs.js';
import type { Middleware } from './middleware/middleware.js';
import { OutcomeRules } from './outcome-rules.js';
import { Pace } from './pace.js';
import { areManual, type Performers, toPerformers } from './performers.js';
import { Prefetch } from './prefetch.js';
import { Presence } from './presence.js';

const MAX_IDLE_MS = 15_000;
const NOBODY_TAKES_JOBS = 'nobody takes jobs';

/**
 * Owns tasks for actors, has them performed, and returns them.
 *
 * Delivery is at least once: a task whose lease lapses (a crash, a database out of reach for longer than
 * maxDurationMs) is performed again, perhaps while the first handler still runs with its signal fired.
 *
 *   new --start()--> running --stop()--> draining --all returned--> stopped
 *
 * Each actor has a ClaimLoop, which asks for tasks as Prefetch says, and an ActorHost, which makes jobs of them. What is InHand,
 * the actors share: the workers, the waiting room, the leases, the returns.
 */
export class ActionManager extends EventEmitter<ManagerEvents> {
  readonly #options: FullManagerOptions;
  readonly #id = randomUUID();
  readonly #middleware: Middleware[] = [];
  readonly #manual: ManualJobs | undefined;
  readonly #notices: Notices;
  readonly #pace: Pace;
  readonly #inHand: InHand;
  readonly #prefetch: Prefetch;
  readonly #turns: ClaimTurns;
  readonly #hosts: readonly ActorHost[];
  readonly #loops: readonly ClaimLoop[];
  readonly #presence: Presence;
  #numOwned = 0;
  #unfollow: (() => void)[] = [];
  #state: 'new' | 'running' | 'draining' | 'stopped' = 'new';
  #stopped: Promise<void> | undefined;

  /**
   * InvalidOptionError for options out of range, or actors of which some have handlers and some have not; ActionKnownError if
   * two of them perform the same action.
   */
  constructor(store: TaskStore, actors: Performers, options: ManagerOptions = {}) {
    super();
    const performers = toPerformers(actors);
    this.#options = fullManagerOptions(options);
    const { workers, retry, maxTries, logger } = this.#options;
    this.#notices = new Notices(this, logger);
    this.#manual = areManual(performers)
      ? new ManualJobs({
          onWanted: () => this.#wanted(),
          onAbandoned: () => this.#inHand.handBackUnstarted(NOBODY_TAKES_JOBS),
        })
      : undefined;
    this.#pace = new Pace(workers);
    const rules = new OutcomeRules({ retry, maxTries, random: Math.random });
    const shared = { store, notices: this.#notices, rules, manual: this.#manual };
    this.#inHand = new InHand({
      ...shared,
      manager: this.#options,
      pace: this.#pace,
      onRoom: () => this.#roomGrew(),
      onSignalled: () => {
        for (const loop of this.#loops) loop.returned();
      },
    });
    this.#prefetch = new Prefetch({
      ...this.#options,
      pace: this.#pace,
      counts: () => this.#inHand.counts,
    });
    this.#turns = new ClaimTurns((besides) => this.#room(besides));
    const hosting = {
      ...shared,
      inHand: this.#inHand,
      maxPrepareMs: this.#options.heartbeatMs,
      middleware: this.#middleware,
    };
    this.#hosts = performers.map((actor) => new ActorHost({ ...hosting, actor }));
    this.#checkApart();
    this.#loops = this.#hosts.map((host) => this.#loopOf(store, host));
    this.#presence = new Presence({ store, logger, workers: () => this.#workers() });
  }

  /** Has tasks performed within this, inside of what was used before. From the next task on. */
  use(middleware: Middleware): this {
    this.#middleware.push(middleware);
    return this;
  }

  /** Begins to own tasks. Does nothing when started already; ManagerStoppedError once stopped, ActionKnownError as the constructor. */
  async start(): Promise<void> {
    if (this.#state === 'running') return;
    if (this.#state !== 'new') throw new ManagerStoppedError();
    // They may have learned something since the manager was made.
    this.#checkApart();
    for (const host of this.#hosts) host.follow();
    this.#state = 'running';
    this.#unfollow = this.#hosts.flatMap((host, i) => {
      const unfollow = host.actor.onChange?.(() => this.#actorChanged(host, this.#loops[i]));
      return unfollow ? [unfollow] : [];
    });
    this.#presence.start();
    for (const loop of this.#loops) loop.start();
  }

  /**
   * Takes no more, hands back what has not begun without using up a try, lets what runs finish, and resolves
   * when all is returned and hooks have settled. After `timeoutMs` (default: never; for jobs by hand, 0) running handlers'
   * signals fire and their tasks are handed back too, whether they settle or not. Safe to call twice and before start.
   */
  stop({ timeoutMs }: { timeoutMs?: number } = {}): Promise<void> {
    // Whoever holds a job by hand may be the one who stops, and waits.
    this.#stopped ??= this.#drain(timeoutMs ?? (this.#manual ? 0 : undefined));
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /**
   * Tasks to perform by hand, for actors without handlers; starts the manager. A job takes up one of the `workers` from when
   * it is given until it is settled, so that no more are in hand than those; leaving the loop takes no more. Several
   * loops share the jobs. InvalidOptionError if the actors have handlers.
   */
  jobs(options: JobsOptions = {}): AsyncIterableIterator<ManualJob> {
    if (!this.#manual) {
      throw new InvalidOptionError('jobs()', 'is for actors without a handler; leave handle out');
    }
    return this.#manual.loop(options, () => this.start());
  }

  /** A snapshot. */
  stats(): ManagerStats {
    const { counts, numReturned, numLost } = this.#inHand;
    const { meanMs } = this.#pace;
    return toStats(counts, { numOwned: this.#numOwned, numReturned, numLost, meanMs });
  }

  async #drain(timeoutMs: number | undefined): Promise<void> {
    this.#state = 'draining';
    for (const unfollow of this.#unfollow) unfollow();
    this.#manual?.stop();
    await Promise.all(this.#loops.map((loop) => loop.stop()));
    this.#inHand.handBackUnstarted('the manager stopped');
    const limit =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => this.#inHand.handBackAll('the manager stopped'), Math.max(0, timeoutMs));
    await this.#inHand.emptied();
    clearTimeout(limit);
    await this.#presence.stop();
    this.#state = 'stopped';
  }

  #checkApart(): void {
    for (const [i, host] of this.#hosts.entries()) {
      for (const other of this.#hosts.slice(i + 1)) other.checkApart(host);
    }
  }

  #actorChanged(host: ActorHost, loop: ClaimLoop | undefined): void {
    this.#checkApart();
    host.follow();
    loop?.actorChanged();
    this.#presence.changed();
  }

  #loopOf(store: TaskStore, host: ActorHost): ClaimLoop {
    const { queues, maxTasks, waitTimeMs, errWaitTimeMs } = this.#options;
    return new ClaimLoop({
      store,
      actorId: host.actor.id,
      actions: () => host.openActions,
      request: (asked) => this.#request(asked, host),
      queues,
      maxTasks,
      waitTimeMs,
      maxIdleMs: Math.max(waitTimeMs, MAX_IDLE_MS),
      errWaitTimeMs,
      turns: this.#turns,
      onFailed: (error) => this.#notices.failed('own', error, 0),
      prepare: (tasks) => host.prepare(tasks),
      onOwned: (claimed, claim) => this.#accept(host, claimed, claim),
    });
  }

  #request(
    asked: number,
    { numFree }: ActorHost,
  ): Omit<OwnRequest, 'actorId' | 'actions' | 'maxTasks'> {
    const { maxDurationMs, queues, pollStrategy, workers } = this.#options;
    return {
      maxDurationMs,
      holder: this.#id,
      maxSlots: workers,
      ...this.#prefetch.shares(asked, this.#turns.numAsked, numFree),
      ...(queues ? { queues } : {}),
      ...(pollStrategy ? { pollStrategy } : {}),
    };
  }

  #accept(host: ActorHost, claimed: Claimed, claim: Claim): void {
    const count = claimed.tasks.length;
    this.#numOwned += count;
    const { asked, askedAt } = claim;
    const actorId = host.actor.id;
    const durationMs = performance.now() - askedAt;
    this.#notices.emit('owned', { actorId, count, asked, durationMs });
    host.accept(claimed, claim);
    if (this.#manual?.isOpen === false) this.#inHand.handBackUnstarted(NOBODY_TAKES_JOBS);
  }

  #room(besides: number): number {
    return this.#manual?.isOpen === false ? 0 : this.#prefetch.room(besides);
  }

  #roomGrew(): void {
    this.#turns.roomGrew();
    for (const loop of this.#loops) loop.roomGrew();
  }

  /** By somebody who takes jobs by hand. */
  #wanted(): void {
    this.#inHand.wake(1);
    this.#roomGrew();
  }

  /** A worker for each actor; the first has the id under which slots of limited keys are held. */
  #workers(): WorkerInfo[] {
    const { queues = ['default'] } = this.#options;
    return this.#hosts.map(({ actor, workerId }, i) => ({
      id: i === 0 ? this.#id : workerId,
      actorId: actor.id,
      queues,
      actions: actor.actions,
    }));
  }
}
