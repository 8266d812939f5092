import type { BodySchemas } from './body-schemas.js';
import type { Run } from './database.js';
import type { TaskUpdate } from './task-store.js';

/** Changes pending tasks, all or none. */
export async function updateTasks(
  _run: Run,
  _updates: readonly TaskUpdate[],
  _bodySchemas: BodySchemas,
): Promise<void> {
  throw new Error('not built yet');
}
