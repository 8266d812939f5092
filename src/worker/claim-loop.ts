import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../logger.js';
import type { OwnedTask, OwnRequest, TaskStore } from '../store/task-store.js';

/*
 * Owns tasks while there is room for them.
 *
 *   claiming --some owned--> claiming             (waits for room before it asks again)
 *   claiming --none owned--> idle                 sleeps until woken, or for idleMs
 *   idle     --woken, time up--> claiming         idleMs doubles while nothing comes, up to maxIdleMs
 *   claiming --error--> backing off --errWaitTimeMs--> claiming
 *   any      --stop--> stopped
 *
 * Woken and yet nothing owned, again and again (what is ready is locked, or others are faster): it pauses before it
 * sleeps, a little longer each time up to waitTimeMs, or it would ask without end.
 *
 * A lost wake-up costs at most idleMs. It is short right after work, when wake-ups can be lost, and long
 * when nothing has come for long, so that an idle worker costs the database next to nothing.
 */

interface ClaimLoopOptions {
  readonly store: Pick<TaskStore, 'ownTasks' | 'waitForReady'>;
  readonly request: Omit<OwnRequest, 'maxTasks'>;
  readonly maxTasks: number;
  readonly waitTimeMs: number;
  readonly maxIdleMs: number;
  readonly errWaitTimeMs: number;
  readonly logger: Logger;
  /** Resolves with how many tasks there is room for, as soon as it is worth asking. */
  readonly room: () => Promise<number>;
  /** `ownedAt`: performance.now() before the tasks were asked for. */
  readonly onOwned: (tasks: readonly OwnedTask[], ownedAt: number) => void;
}

export class ClaimLoop {
  readonly #options: ClaimLoopOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: ClaimLoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when no claim is in flight and none will be made. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { waitTimeMs, maxIdleMs, errWaitTimeMs, logger } = this.#options;
    let idleMs = waitTimeMs;
    let pauseMs = 0;
    while (!this.#stopping.signal.aborted) {
      try {
        if (await this.#claim()) {
          idleMs = waitTimeMs;
          pauseMs = 0;
        } else {
          await this.#pause(pauseMs);
          const isWoken = await this.#sleep(idleMs);
          idleMs = Math.min(2 * idleMs, maxIdleMs);
          pauseMs = isWoken ? Math.min(2 * pauseMs + 1, waitTimeMs) : 0;
        }
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        logger.warn({ err: error }, 'owning tasks failed');
        await this.#pause(errWaitTimeMs);
      }
    }
  }

  /** Whether it owned anything. */
  async #claim(): Promise<boolean> {
    const { store, request, maxTasks, room, onOwned } = this.#options;
    const free = await room();
    if (this.#stopping.signal.aborted) return true;
    const ownedAt = performance.now();
    const tasks = await store.ownTasks({ ...request, maxTasks: Math.min(free, maxTasks) });
    if (tasks.length > 0) onOwned(tasks, ownedAt);
    return tasks.length > 0;
  }

  /** Whether it was woken before the time was up. */
  async #sleep(timeoutMs: number): Promise<boolean> {
    const { actions, queues } = this.#options.request;
    const start = performance.now();
    await this.#options.store.waitForReady(
      { actions, ...(queues ? { queues } : {}) },
      { timeoutMs, signal: this.#stopping.signal },
    );
    return performance.now() - start < timeoutMs / 2;
  }

  async #pause(durationMs: number): Promise<void> {
    if (durationMs === 0) return;
    await delay(durationMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }
}
