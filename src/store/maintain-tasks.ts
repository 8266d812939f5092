import type { Run } from './database.js';
import type { CleanOptions, PurgeOptions, TaskCount, TaskFilter } from './task-store.js';

export async function countTasks(
  _run: Run,
  _filter: Omit<TaskFilter, 'limit'>,
): Promise<TaskCount[]> {
  throw new Error('not built yet');
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
