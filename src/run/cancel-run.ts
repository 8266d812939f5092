import { TaskNotFoundError } from '../errors.js';
import type { StatusCode, TaskStore } from '../store/task-store.js';
import { isInternal } from './names.js';

const UNFINISHED: StatusCode[] = ['pending', 'in-progress'];

/**
 * Ends all of a run that has not ended, what its nodes insert meanwhile too; resolves with how many tasks. Needs the run's id
 * alone, `<graph>/<runId>`, not its graph. TaskNotFoundError.
 */
export async function cancelRun(
  store: Pick<TaskStore, 'listTasks' | 'cancelTasks' | 'getOutcomes'>,
  id: string,
  options: { readonly status?: string } = {},
): Promise<number> {
  let total = 0;
  for (;;) {
    const ids: string[] = [id];
    const filter = { idPrefix: `${id}/`, statusCodes: UNFINISHED };
    for await (const task of store.listTasks(filter)) ids.push(task.id);
    // All in one statement: nothing of it can begin because something before it was cancelled.
    const numCancelled = await store.cancelTasks(ids, options);
    if (numCancelled === 0) break;
    total += numCancelled;
  }
  if (total === 0) await mustExist(store, id);
  return total;
}

/** TaskNotFoundError where there is no such run. */
export async function mustExist(store: Pick<TaskStore, 'getOutcomes'>, id: string): Promise<void> {
  const [run] = await store.getOutcomes([id], { results: false });
  if (!run || isInternal(id)) throw new TaskNotFoundError([id]);
}
