import { InvalidOptionError } from '../errors.js';
import type { Query } from './database.js';
import { checkDuration, toInterval } from './durations.js';
import { toCount } from './rows.js';
import { toCodes, toIdRange, toSqlFilter } from './task-filter.js';
import type { CleanOptions, PurgeOptions, TaskCount, TaskFilter } from './task-store.js';

const PURGE_BATCH_SIZE = 1_000;
const MAX_BATCH_SIZE = 100_000;
const DEFAULTS = Object.freeze({ minAgeMs: 15 * 60_000, batchSize: 1_000 });

export async function countTasks(
  query: Query,
  filter: Omit<TaskFilter, 'limit'>,
): Promise<TaskCount[]> {
  const { from, end, conditions } = toSqlFilter(filter);
  const rows = await query(
    `select queue, action, status_code, count
     from signalbox.count_tasks($1, $2, $3, $4, $5, $6, $7, $8)`,
    [from, end, ...conditions],
  );
  return rows.map(toCount);
}

/** InvalidOptionError for a filter without any condition. */
export async function purgeTasks(
  query: Query,
  filter: TaskFilter,
  { force = false, signal, onProgress }: PurgeOptions,
): Promise<number> {
  checkHasCondition(filter);
  const { from, end, conditions } = toSqlFilter(filter);
  let left = filter.limit ?? Number.POSITIVE_INFINITY;
  let deleted = 0;
  for (let after = ''; left > 0; ) {
    signal?.throwIfAborted();
    const batchSize = Math.min(left, PURGE_BATCH_SIZE);
    const [row] = await query(
      `select num_deleted, num_found, last_id
       from signalbox.purge_tasks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [from, after, end, batchSize, ...conditions, !force],
    );
    const numFound = Number(row?.[1]);
    deleted += Number(row?.[0]);
    left -= numFound;
    after = row?.[2] ?? after;
    if (numFound > 0) onProgress?.(deleted);
    if (numFound < batchSize) break;
  }
  return deleted;
}

/** A forgotten condition must not delete everything. */
export function checkHasCondition(filter: TaskFilter): void {
  const { limit, ...conditions } = filter;
  if (Object.values(conditions).some((condition) => condition !== undefined)) return;
  throw new InvalidOptionError(
    'filter',
    "has no condition, so that every task would be deleted; if that is meant, give { idPrefix: '' }",
  );
}

/** Where a cleaning stands: see sql/functions/clean_tasks.sql. */
interface CleanStep {
  readonly numDeleted: number;
  readonly next: string;
  readonly run: string | null;
  readonly isDone: boolean;
}

export async function cleanTasks(query: Query, options: CleanOptions): Promise<number> {
  const { minAgeMs = DEFAULTS.minAgeMs, batchSize = DEFAULTS.batchSize } = options;
  checkCleanOptions(minAgeMs, batchSize);
  const { from, end } = toIdRange(options.idPrefix ?? '');
  const settings = [batchSize, toInterval(minAgeMs), toCodes(options.statusCodes)];
  let deleted = 0;
  let step: CleanStep = { numDeleted: 0, next: from, run: null, isDone: false };
  while (!step.isDone) {
    options.signal?.throwIfAborted();
    step = await cleanBatch(query, [step.next, end, step.run, ...settings]);
    deleted += step.numDeleted;
    if (step.numDeleted > 0) options.onProgress?.(deleted);
  }
  return deleted;
}

async function cleanBatch(query: Query, values: readonly unknown[]): Promise<CleanStep> {
  const [row] = await query(
    `select num_deleted, next, run, is_done
     from signalbox.clean_tasks($1, $2, $3, $4, $5, $6)`,
    values,
  );
  return {
    numDeleted: Number(row?.[0] ?? 0),
    next: row?.[1] ?? '',
    run: row?.[2] ?? null,
    isDone: row?.[3] !== 'f',
  };
}

function checkCleanOptions(minAgeMs: number, batchSize: number): void {
  // What has only just ended may be wanted, too: 0 is an age.
  if (minAgeMs !== 0) checkDuration('minAgeMs', minAgeMs);
  if (!(Number.isInteger(batchSize) && batchSize >= 1 && batchSize <= MAX_BATCH_SIZE)) {
    throw new InvalidOptionError(
      'batchSize',
      `is ${batchSize}; give a whole number from 1 to ${MAX_BATCH_SIZE}`,
    );
  }
}
