import type { Run } from './database.js';
import type { TaskStanding } from './task-store.js';

export async function explainTask(_run: Run, _id: string): Promise<TaskStanding> {
  throw new Error('not built yet');
}
