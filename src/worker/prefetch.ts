import type { OwnRequest } from '../store/task-store.js';
import type { FullManagerOptions } from './manager-options.js';
import { type Pace, PREFETCH } from './pace.js';

/** What a manager has in hand at the moment. */
export interface HandCounts {
  /** Owned, and waiting for a worker. */
  readonly numWaiting: number;
  /** Of those, the ones that no worker can take yet: as many of their kind are performed as may be. */
  readonly numParked: number;
  /** Handlers that run. */
  readonly numPerforming: number;
  /** All, those on their way back included. */
  readonly numHeld: number;
  /** Workers that would begin a task at once. */
  readonly numIdle: number;
}

interface PrefetchOptions extends Pick<FullManagerOptions, 'workers' | 'channelSize' | 'maxTasks'> {
  readonly pace: Pace;
  readonly counts: () => HandCounts;
}

/**
 * Decides how many tasks to own: for the workers that are idle, and so many more as will begin soon at the pace measured.
 *
 * The first claim asks for what idle workers begin at once: nothing is known of the handlers yet. If they are short, the
 * next asks for a full batch.
 */
export class Prefetch {
  readonly #options: PrefetchOptions;

  constructor(options: PrefetchOptions) {
    this.#options = options;
  }

  /**
   * How many tasks to ask for, besides those asked for already: none until it is a batch worth asking for, or the workers are about to run
   * dry. Tasks on their way back count as well, from as many on as may wait: a database that takes them slowly is not asked
   * for more.
   */
  room(besides: number): number {
    const { channelSize, maxTasks, workers, pace, counts } = this.#options;
    const { numWaiting, numParked, numPerforming, numHeld, numIdle } = counts();
    const numAhead = Math.min(channelSize - numParked, pace.numWithin(PREFETCH.horizonMs));
    const numCovered = numWaiting - numParked + besides;
    const numReturning = numHeld - numWaiting - numPerforming;
    const free = numIdle + numAhead - numCovered - Math.max(0, numReturning - channelSize);
    const half = Math.ceil(numAhead / 2);
    const isBatch = free >= Math.min(maxTasks, Math.max(1, half));
    const isRunningDry = free > 0 && numCovered < Math.min(workers, half);
    return isBatch || isRunningDry ? free : 0;
  }

  /**
   * What a request for so many says of how they will be performed; `besides` are asked for already, and no more than
   * `numFree` of them could begin at once, however many workers are idle.
   */
  shares(
    maxTasks: number,
    besides: number,
    numFree: number,
  ): Pick<OwnRequest, 'numBegun' | 'tasksPerSlot'> {
    const { pace, counts, maxTasks: most } = this.#options;
    const { numWaiting, numIdle } = counts();
    const numAtOnce = Math.min(numIdle, numFree);
    const numSoon = numAtOnce + pace.numWithin(PREFETCH.begunWithinMs) - numWaiting - besides;
    const tasksPerSlot = Math.min(most, pace.numPerWorker());
    return numSoon >= maxTasks
      ? { tasksPerSlot }
      : { tasksPerSlot, numBegun: Math.max(0, numSoon) };
  }
}
