import type { Run } from './database.js';
import { toInterval } from './durations.js';
import type { LaneFilter, Limits, Pause, ReadyRequest } from './task-store.js';

/** Lane i is (queues[i], actions[i]). */
export interface Lanes {
  readonly queues: readonly string[];
  readonly actions: readonly string[];
}

const DEFAULT_QUEUES: readonly string[] = Object.freeze(['default']);

export function toLanes({ queues = DEFAULT_QUEUES, actions }: ReadyRequest): Lanes {
  const lanes = queues.flatMap((queue) => actions.map((action) => ({ queue, action })));
  return { queues: lanes.map(({ queue }) => queue), actions: lanes.map(({ action }) => action) };
}

export async function pauseLanes(_run: Run, _lanes: LaneFilter): Promise<void> {
  throw new Error('not built yet');
}

export async function resumeLanes(_run: Run, _lanes: LaneFilter): Promise<boolean> {
  throw new Error('not built yet');
}

export async function listPauses(_run: Run): Promise<Pause[]> {
  throw new Error('not built yet');
}

export async function setLimits(run: Run, limitKey: string, limits: Limits): Promise<void> {
  await writeLimits(run, new Map([[limitKey, limits]]));
}

/** Sets the limits of many keys. */
export async function writeLimits(run: Run, byKey: ReadonlyMap<string, Limits>): Promise<void> {
  const limits = [...byKey.values()];
  await run('select signalbox.set_limits($1, $2, $3, $4)', [
    [...byKey.keys()],
    limits.map(({ limit }) => limit ?? null),
    limits.map(({ rateLimit }) => rateLimit?.count ?? null),
    limits.map(({ rateLimit }) => (rateLimit ? toInterval(rateLimit.intervalMs) : null)),
  ]);
}
