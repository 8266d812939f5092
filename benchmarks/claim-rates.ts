import type { Signalbox } from 'signalbox';
import { timed } from './contestant.js';
import { flat } from './workloads/flat.js';

const BATCH_SIZE = 500;

/** Tasks a second, each part by itself and one call at a time. */
export interface ClaimRates {
  readonly inserted: number;
  readonly claimed: number;
  readonly returned: number;
}

/** Inserts flat tasks, owns them in batches of 500 and returns each batch, and times the three apart. */
export async function measureClaims(
  box: Signalbox,
  size: number,
  prefix: string,
): Promise<ClaimRates> {
  const insertMs = await timed(async () => {
    await box.insertTasks(flat(size, prefix));
  });
  let claimMs = 0;
  let returnMs = 0;
  for (let left = size; left > 0; ) {
    const startedAt = performance.now();
    const owned = await box.ownTasks({ actorId: 'bench', actions: ['work'], maxTasks: BATCH_SIZE });
    const ownedAt = performance.now();
    await box.returnTasks(owned.map(({ id, token }) => ({ id, token, statusCode: 'completed' })));
    claimMs += ownedAt - startedAt;
    returnMs += performance.now() - ownedAt;
    left -= owned.length;
  }
  const rate = (ms: number) => (1_000 * size) / ms;
  return { inserted: rate(insertMs), claimed: rate(claimMs), returned: rate(returnMs) };
}

/** The same as samples. */
export function toClaimSamples(who: string, rates: ClaimRates) {
  const unit = 'tasks/s';
  return [
    { who, what: 'insert rate', unit, value: rates.inserted },
    { who, what: 'claim rate', unit, value: rates.claimed },
    { who, what: 'return rate', unit, value: rates.returned },
  ];
}
