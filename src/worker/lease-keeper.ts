import { InvalidTokenError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { OwnedTask, TaskStore } from '../store/task-store.js';

/*
 * Keeps the leases of all tasks that a manager holds, begun or not, for as long as the process lives.
 *
 * Tasks are held in groups of one duration. Every third of it one statement extends the whole group, so that
 * two of them may fail before anything lapses. A task that the database no longer holds for us (it was
 * cancelled, deleted, or lapsed) is lost: its handler's signal fires. While the database cannot be reached,
 * a lease that runs out by our own clock is lost as well: from then on another owner may have the task.
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

interface Group {
  readonly durationMs: number;
  readonly leases: Set<Lease>;
  timer: NodeJS.Timeout | undefined;
}

const EXTENSIONS_PER_LEASE = 3;
const MAX_TIMER_MS = 2 ** 31 - 1;

export class LeaseKeeper {
  readonly #store: Pick<TaskStore, 'extendTaskDeadlines'>;
  readonly #logger: Logger;
  readonly #groups = new Map<number, Group>();

  constructor(options: { store: Pick<TaskStore, 'extendTaskDeadlines'>; logger: Logger }) {
    this.#store = options.store;
    this.#logger = options.logger;
  }

  /** Keeps the lease from now on. */
  hold(lease: Lease): void {
    const { maxDurationMs } = lease.task;
    if (maxDurationMs !== null) this.#group(maxDurationMs).leases.add(lease);
  }

  /** Lets go: the task was returned, or nobody works on it any more. */
  release(lease: Lease): void {
    const { maxDurationMs } = lease.task;
    if (maxDurationMs === null) return;
    const group = this.#groups.get(maxDurationMs);
    group?.leases.delete(lease);
    if (group?.leases.size === 0) this.#drop(group);
  }

  /** Extends one lease now. InvalidTokenError if it is lost, and then it is told so too. */
  async extend(lease: Lease): Promise<void> {
    const { id, maxDurationMs } = lease.task;
    if (maxDurationMs === null) return;
    const group = this.#group(maxDurationMs);
    if (group.leases.has(lease)) await this.#extend(group, [lease]);
    if (!group.leases.has(lease)) throw new InvalidTokenError(id);
  }

  /** Extends nothing any more. */
  stop(): void {
    for (const group of this.#groups.values()) this.#drop(group);
  }

  #group(durationMs: number): Group {
    let group = this.#groups.get(durationMs);
    if (!group) {
      group = { durationMs, leases: new Set(), timer: undefined };
      this.#groups.set(durationMs, group);
      this.#schedule(group);
    }
    return group;
  }

  #drop(group: Group): void {
    clearTimeout(group.timer);
    this.#groups.delete(group.durationMs);
  }

  #schedule(group: Group): void {
    const inMs = Math.min(group.durationMs / EXTENSIONS_PER_LEASE, MAX_TIMER_MS);
    group.timer = setTimeout(async () => {
      await this.#beat(group);
      if (this.#groups.get(group.durationMs) === group) this.#schedule(group);
    }, inMs);
  }

  async #beat(group: Group): Promise<void> {
    const expiry = setTimeout(
      () => this.#loseExpired(group),
      Math.max(0, soonest(group) - performance.now()),
    );
    try {
      await this.#extend(group, [...group.leases]);
    } catch (error) {
      this.#logger.warn({ err: error, tasks: group.leases.size }, 'extending leases failed');
      this.#loseExpired(group);
    } finally {
      clearTimeout(expiry);
    }
  }

  async #extend(group: Group, leases: readonly Lease[]): Promise<void> {
    const askedAt = performance.now();
    const extended = new Set(
      await this.#store.extendTaskDeadlines(
        leases.map(({ task }) => task),
        group.durationMs,
      ),
    );
    for (const lease of leases) {
      if (extended.has(lease.task.id)) lease.expiresAt = askedAt + group.durationMs;
      else this.#lose(group, lease);
    }
  }

  #loseExpired(group: Group): void {
    const now = performance.now();
    for (const lease of group.leases) {
      if (lease.expiresAt <= now) this.#lose(group, lease);
    }
  }

  #lose(group: Group, lease: Lease): void {
    // Released since it was asked for: returned, so not lost.
    if (!group.leases.delete(lease)) return;
    lease.expiresAt = 0;
    lease.lose(new InvalidTokenError(lease.task.id));
  }
}

function soonest(group: Group): number {
  let soonest = Number.POSITIVE_INFINITY;
  for (const { expiresAt } of group.leases) soonest = Math.min(soonest, expiresAt);
  return Math.min(soonest, performance.now() + MAX_TIMER_MS);
}
