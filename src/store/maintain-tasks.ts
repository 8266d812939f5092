import type { Run } from './database.js';
import { endOfPrefix } from './id-range.js';
import { readStatusCode } from './status-code.js';
import type { CleanOptions, PurgeOptions, TaskCount, TaskFilter } from './task-store.js';

export async function countTasks(
  run: Run,
  filter: Omit<TaskFilter, 'limit'>,
): Promise<TaskCount[]> {
  const { idPrefix = '', actions, queues, statusCodes } = filter;
  const rows = await run(
    'select queue, action, status_code, count from signalbox.count_tasks($1, $2, $3, $4, $5)',
    [
      idPrefix,
      endOfPrefix(idPrefix),
      actions ?? null,
      queues ?? null,
      statusCodes?.map(readStatusCode) ?? null,
    ],
  );
  return rows.map(([queue, action, statusCode, count]) => ({
    queue: String(queue),
    action: action ?? null,
    statusCode: readStatusCode(statusCode),
    count: Number(count),
  }));
}

export async function purgeTasks(
  _run: Run,
  _filter: TaskFilter,
  _options: PurgeOptions,
): Promise<number> {
  throw new Error('not built yet');
}

export async function cleanTasks(_run: Run, _options: CleanOptions): Promise<number> {
  throw new Error('not built yet');
}
