import type { Query } from './database.js';
import type { TaskStanding } from './task-store.js';

/** Of WaitReason: milliseconds in the database's answer. */
const TIMES: ReadonlySet<string> = new Set(['at', 'deadline', 'since', 'until']);

/** TaskNotFoundError. */
export async function explainTask(query: Query, id: string): Promise<TaskStanding> {
  const [row] = await query('select signalbox.explain_task($1)', [id]);
  const standing: TaskStanding = JSON.parse(row?.[0] ?? 'null', (name, value) =>
    TIMES.has(name) && typeof value === 'number' ? new Date(value) : value,
  );
  return standing;
}
