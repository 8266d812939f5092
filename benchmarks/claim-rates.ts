import type { Signalbox } from 'signalbox';
import { withBox } from './box.js';
import type { Setting } from './scenario.js';
import { timed } from './span.js';
import { ratioOf, type Target } from './target.js';
import { flat } from './workloads/flat.js';

const BATCH_SIZE = 500;
const TURNS = 3;
const FULL = 'full tables';
const EMPTY = 'empty tables';

/** The median of what `compareClaims` records of full tables, divided by that of empty ones. */
export function fullAgainstEmpty(what: string): Target['value'] {
  return ratioOf({ who: FULL, what }, { who: EMPTY, what });
}

/** Tasks a second, each part by itself and one call at a time. */
interface ClaimRates {
  readonly inserted: number;
  readonly claimed: number;
  readonly returned: number;
}

/** Records the rates from the tables of `fullBox` and from empty ones, in turns, over so many ready tasks each time. */
export async function compareClaims(
  fullBox: Signalbox,
  { connectionString, record }: Setting,
  numReady: number,
): Promise<void> {
  const empty = { connectionString, schema: 'bench_empty' };
  for (let turn = 0; turn <= TURNS; turn++) {
    const fromFull = await measureClaims(fullBox, numReady, `turn-${turn}`);
    const fromEmpty = await withBox(empty, (box) => measureClaims(box, numReady, 'turn'));
    if (turn === 0) continue; // it warms up
    for (const sample of toSamples(EMPTY, fromEmpty)) record(sample);
    for (const sample of toSamples(FULL, fromFull)) record(sample);
  }
}

/** Inserts flat tasks, owns them in batches of 500 and returns each batch, and times the three apart. */
async function measureClaims(box: Signalbox, size: number, prefix: string): Promise<ClaimRates> {
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

function toSamples(who: string, rates: ClaimRates) {
  const unit = 'tasks/s';
  return [
    { who, what: 'insert rate', unit, value: rates.inserted },
    { who, what: 'claim rate', unit, value: rates.claimed },
    { who, what: 'return rate', unit, value: rates.returned },
  ];
}
