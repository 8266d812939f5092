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

/** One task held: `lose` is called at most once, with the reason. */
interface Lease {
  readonly task: OwnedTask;
  readonly lose: (reason: Error) => void;
  expiresAt: number;
}

interface Group {
  readonly durationMs: number;
  readonly leases: Map<string, Lease>;
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

  /** Keeps the lease from now on. `ownedAt`: performance.now() before the task was asked for. */
  hold(task: OwnedTask, ownedAt: number, lose: (reason: Error) => void): void {
    if (task.maxDurationMs === null) return;
    const group = this.#group(task.maxDurationMs);
    group.leases.set(task.token, { task, lose, expiresAt: ownedAt + task.maxDurationMs });
  }

  /** When the lease runs out, as performance.now(); Infinity if it never does, 0 if it is lost. */
  expiresAt(task: OwnedTask): number {
    if (task.maxDurationMs === null) return Number.POSITIVE_INFINITY;
    return this.#groups.get(task.maxDurationMs)?.leases.get(task.token)?.expiresAt ?? 0;
  }

  /** Lets go: the task was returned, or nobody works on it any more. */
  release(task: OwnedTask): void {
    if (task.maxDurationMs === null) return;
    const group = this.#groups.get(task.maxDurationMs);
    group?.leases.delete(task.token);
    if (group?.leases.size === 0) this.#drop(group);
  }

  /** Extends one task's lease now. InvalidTokenError if it is lost, and then its signal fires too. */
  async extend(task: OwnedTask): Promise<void> {
    if (task.maxDurationMs === null) return;
    const group = this.#group(task.maxDurationMs);
    const lease = group.leases.get(task.token);
    if (!lease) throw new InvalidTokenError(task.id);
    await this.#extend(group, [lease]);
    if (!group.leases.has(task.token)) throw new InvalidTokenError(task.id);
  }

  /** Extends nothing any more. */
  stop(): void {
    for (const group of this.#groups.values()) this.#drop(group);
  }

  #group(durationMs: number): Group {
    let group = this.#groups.get(durationMs);
    if (!group) {
      group = { durationMs, leases: new Map(), timer: undefined };
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
      await this.#extend(group, [...group.leases.values()]);
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
    for (const lease of group.leases.values()) {
      if (lease.expiresAt <= now) this.#lose(group, lease);
    }
  }

  #lose(group: Group, lease: Lease): void {
    // Released since it was asked for: returned, so not lost.
    if (!group.leases.delete(lease.task.token)) return;
    lease.lose(new InvalidTokenError(lease.task.id));
  }
}

function soonest(group: Group): number {
  let soonest = Number.POSITIVE_INFINITY;
  for (const { expiresAt } of group.leases.values()) soonest = Math.min(soonest, expiresAt);
  return Math.min(soonest, performance.now() + MAX_TIMER_MS);
}
