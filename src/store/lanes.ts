import { MAX_INT4, MAX_LANE_BYTES } from '../column-limits.js';
import { InvalidOptionError } from '../errors.js';
import type { Query } from './database.js';
import { checkDuration, toInterval } from './durations.js';
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

export async function pauseLanes(query: Query, lanes: LaneFilter): Promise<void> {
  await query('select signalbox.pause_lanes($1, $2)', toNames(lanes));
}

export async function resumeLanes(query: Query, lanes: LaneFilter): Promise<boolean> {
  const [row] = await query('select signalbox.resume_lanes($1, $2)', toNames(lanes));
  return row?.[0] === 't';
}

export async function listPauses(query: Query): Promise<Pause[]> {
  const rows = await query(
    `select queue, action, date_part('epoch', since) * 1000 from signalbox.list_pauses()`,
    [],
  );
  return rows.map(([queue, action, since]) => ({
    ...(queue ? { queue } : {}),
    ...(action ? { action } : {}),
    since: new Date(Number(since)),
  }));
}

export async function setLimits(query: Query, limitKey: string, limits: Limits): Promise<void> {
  checkLimits(limitKey, limits);
  await writeLimits(query, new Map([[limitKey, limits]]));
}

/** Sets the limits of many keys. */
export async function writeLimits(query: Query, byKey: ReadonlyMap<string, Limits>): Promise<void> {
  const limits = [...byKey.values()];
  await query('select signalbox.set_limits($1, $2, $3, $4)', [
    [...byKey.keys()],
    limits.map(({ limit }) => limit ?? null),
    limits.map(({ rateLimit }) => rateLimit?.count ?? null),
    limits.map(({ rateLimit }) => (rateLimit ? toInterval(rateLimit.intervalMs) : null)),
  ]);
}

/** The queue and the action; null: every one. */
function toNames(lanes: LaneFilter): (string | null)[] {
  const { queue, action } = lanes;
  for (const [name, value] of Object.entries({ queue, action })) {
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      throw new InvalidOptionError(
        name,
        `is ${JSON.stringify(value)}; give a name, or leave it out`,
      );
    }
  }
  if (queue === undefined && action === undefined) {
    throw new InvalidOptionError('queue and action', 'are both missing; give at least one');
  }
  return [queue ?? null, action ?? null];
}

function checkLimits(limitKey: string, { limit, rateLimit }: Limits): void {
  const bytes = typeof limitKey === 'string' ? Buffer.byteLength(limitKey) : 0;
  if (bytes < 1 || bytes > MAX_LANE_BYTES || limitKey.includes('\u0000')) {
    throw new InvalidOptionError(
      'limitKey',
      `has ${bytes} bytes; give text of 1 to ${MAX_LANE_BYTES}, without \\u0000`,
    );
  }
  if (limit !== undefined) checkCount('limit', limit);
  if (rateLimit === undefined) return;
  checkCount('rateLimit.count', rateLimit.count);
  checkDuration('rateLimit.intervalMs', rateLimit.intervalMs);
}

function checkCount(option: string, count: number): void {
  if (!(Number.isInteger(count) && count >= 1 && count <= MAX_INT4)) {
    throw new InvalidOptionError(option, `is ${count}; give a whole number from 1 up`);
  }
}
