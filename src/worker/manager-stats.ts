import type { HandCounts } from './prefetch.js';

/** What a manager has done and has to do. */
export interface ManagerStats {
  /** Owned, and waiting for a worker. */
  readonly waiting: number;
  /** Handlers that run. */
  readonly performing: number;
  /** On their way back. */
  readonly returning: number;
  /** All of these: tasks whose leases are kept. */
  readonly held: number;
  /** Since the start. */
  readonly owned: number;
  readonly returned: number;
  /** Owned, and neither returned nor held any more. */
  readonly lost: number;
  /** Of the handlers that ended last, in milliseconds; null: none has. */
  readonly meanHandlerMs: number | null;
}

interface Totals {
  readonly numOwned: number;
  readonly numReturned: number;
  readonly numLost: number;
  readonly meanMs: number | null;
}

export function toStats(counts: HandCounts, totals: Totals): ManagerStats {
  const { numWaiting, numPerforming, numHeld } = counts;
  return {
    waiting: numWaiting,
    performing: numPerforming,
    returning: Math.max(0, numHeld - numWaiting - numPerforming),
    held: numHeld,
    owned: totals.numOwned,
    returned: totals.numReturned,
    lost: totals.numLost,
    meanHandlerMs: totals.meanMs,
  };
}
