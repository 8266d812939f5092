import { InvalidTokenError } from '../errors.js';
import type { HeldTask, OwnedTask, TaskStore } from '../store/task-store.js';
import { LONGEST_TIMER_MS } from '../timers.js';
import { LeaseLostError } from './worker-errors.js';

/*
 * Keeps the leases of all tasks that a manager has in hand, from owning to the end of the return, for as long as the
 * process lives; and knows what is in hand.
 *
 * At every heartbeat one statement goes for all of them: it extends those of which a third is over, each by its own duration,
 * and asks about the others, which writes nothing. Its answer tells which tasks are still ours. One that is not (it was cancelled, deleted, or its lease lapsed) is
 * lost: its handler's signal fires. A beat comes at least three times in the shortest lease held that has its own
 * duration, so that one may fail, or take its time, before anything lapses.
 *
 * The fence. While the database cannot be reached, a lease that runs out by our own monotonic clock is lost as well, and
 * from then on another owner may have the task. Ours runs out first: it counts from the moment of asking, the
 * server's deadline from when it carried out the statement, which is later; neither clock's setting matters. What
 * remains is the handler's own time to react to its signal, and a process that was stopped meanwhile: delivery is at
 * least once.
 *
 * A crash needs nothing: leases that nobody extends lapse.
 */

/** One task held. */
export interface Lease {
  readonly task: OwnedTask;
  /** When it runs out, as performance.now(): the keeper moves it; 0 once it is lost. */
  expiresAt: number;
  /** Called at most once, with the reason. */
  lose(reason: Error): void;
}

interface LeaseKeeperOptions {
  readonly store: Pick<TaskStore, 'extendTaskDeadlines'>;
  readonly heartbeatMs: number;
  /** For tasks that do not say how long they are held. */
  readonly maxDurationMs: number;
  /** A heartbeat failed. */
  readonly onFailed: (error: unknown, numTasks: number) => void;
}

const BEATS_PER_LEASE = 3;
/** One of which more is left is only asked about: long leases would be written anew at every beat for nothing. */
const FRESH_PART = 2 / 3;

export class LeaseKeeper<L extends Lease> {
  readonly #options: LeaseKeeperOptions;
  readonly #held = new Set<L>();
  /** Until the next beat; set while anything is held. */
  #beat: NodeJS.Timeout | undefined;
  #beatMs = 0;
  /** Until the first lease runs out; set from the beginning of a beat until one succeeds. */
  #expiry: NodeJS.Timeout | undefined;
  #isStopped = false;
  #onEmpty: (() => void)[] = [];

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** In hand. */
  get size(): number {
    return this.#held.size;
  }

  [Symbol.iterator](): Iterator<L> {
    return this.#held[Symbol.iterator]();
  }

  /** Keeps the lease from now on. */
  hold(lease: L): void {
    this.#held.add(lease);
    const beatMs = this.#beatFor(lease);
    if (this.#beat && beatMs >= this.#beatMs) return;
    clearTimeout(this.#beat);
    this.#schedule(beatMs);
  }

  /** Lets go: the task was returned, or nobody works on it any more. */
  release(lease: L): void {
    if (this.#held.delete(lease)) this.#checkEmpty();
  }

  /** Extends one lease now. InvalidTokenError if it is lost, and then it is told so too. */
  async extend(lease: L): Promise<void> {
    if (this.#held.has(lease)) await this.#extend([lease], () => false);
    if (!this.#held.has(lease)) throw new InvalidTokenError(lease.task.id);
  }

  /** Resolves once nothing is in hand. */
  empty(): Promise<void> {
    if (this.#held.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  /** Extends nothing any more. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#beat);
    clearTimeout(this.#expiry);
  }

  #beatFor({ task }: L): number {
    const { heartbeatMs } = this.#options;
    return task.maxDurationMs === null
      ? heartbeatMs
      : Math.min(heartbeatMs, task.maxDurationMs / BEATS_PER_LEASE);
  }

  #schedule(beatMs: number): void {
    if (this.#isStopped) return;
    this.#beatMs = beatMs;
    this.#beat = setTimeout(() => void this.#runBeat(), Math.min(beatMs, LONGEST_TIMER_MS));
  }

  async #runBeat(): Promise<void> {
    const leases = [...this.#held];
    if (leases.length > 0) await this.#beatOnce(leases);
    // A short lease that came meanwhile has set one.
    clearTimeout(this.#beat);
    this.#beat = undefined;
    let beatMs = Number.POSITIVE_INFINITY;
    for (const lease of this.#held) beatMs = Math.min(beatMs, this.#beatFor(lease));
    // With nothing in hand there is no beat until something is.
    if (beatMs !== Number.POSITIVE_INFINITY) this.#schedule(beatMs);
  }

  async #beatOnce(leases: readonly L[]): Promise<void> {
    this.#watchExpiry();
    try {
      await this.#extend(leases, isFresh);
      clearTimeout(this.#expiry);
    } catch (error) {
      this.#options.onFailed(error, leases.length);
    }
  }

  async #extend(leases: readonly L[], isAsked: (lease: L) => boolean): Promise<void> {
    const { store, maxDurationMs } = this.#options;
    const askedAt = performance.now();
    const held = leases.map((lease) => toHeld(lease, isAsked(lease)));
    const stillHeld = new Set(await store.extendTaskDeadlines(held, maxDurationMs));
    for (const [i, lease] of leases.entries()) {
      const { id, maxDurationMs: durationMs } = lease.task;
      if (!stillHeld.has(id)) this.#lose(lease, 'gone');
      else if (durationMs !== null && !held[i]?.isAsked) lease.expiresAt = askedAt + durationMs;
    }
  }

  /** Loses what runs out, when it does, until a beat succeeds. */
  #watchExpiry(): void {
    clearTimeout(this.#expiry);
    let soonest = Number.POSITIVE_INFINITY;
    for (const { expiresAt } of this.#held) soonest = Math.min(soonest, expiresAt);
    if (soonest === Number.POSITIVE_INFINITY || this.#isStopped) return;
    const inMs = Math.max(0, soonest - performance.now());
    this.#expiry = setTimeout(
      () => {
        const now = performance.now();
        for (const lease of this.#held)
          if (lease.expiresAt <= now) this.#lose(lease, 'unreachable');
        this.#watchExpiry();
      },
      Math.min(inMs, LONGEST_TIMER_MS),
    );
  }

  #lose(lease: L, how: LeaseLostError['how']): void {
    // Released since it was asked for: returned, so not lost.
    if (!this.#held.delete(lease)) return;
    lease.expiresAt = 0;
    lease.lose(new LeaseLostError(lease.task.id, how));
    this.#checkEmpty();
  }

  #checkEmpty(): void {
    if (this.#held.size > 0) return;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }
}

function isFresh({ task, expiresAt }: Lease): boolean {
  const { maxDurationMs } = task;
  return maxDurationMs === null || expiresAt - performance.now() > FRESH_PART * maxDurationMs;
}

function toHeld({ task: { id, token, maxDurationMs } }: Lease, isAsked: boolean): HeldTask {
  return { id, token, maxDurationMs, isAsked };
}
