import { DuplicateTaskError } from '../errors.js';
import type { Task, TaskStore } from '../store/task-store.js';
import { UsageError } from './cli-errors.js';
import { RUN_TASK_ID, type RunScan, type RunSummary, readSummary } from './run-scan.js';

/** How a run stands when the command begins to work on it. */
export interface RunStart {
  readonly state: 'new' | 'resumed' | 'ended';
  readonly summary: RunSummary;
}

/**
 * Inserts the tasks of a run, or finds that they are there already: then the run goes on where it stands.
 *
 * `store` is the run's namespace, `runId` its name for messages. UsageError if other tasks than the scan's are in it.
 * With `fresh` those of an earlier run are deleted first.
 */
export async function startRun(
  store: TaskStore,
  scan: RunScan,
  { runId, fresh }: { runId: string; fresh: boolean },
): Promise<RunStart> {
  if (fresh && (await store.getTask(RUN_TASK_ID))) await deleteAll(store);
  const milestone = await store.getTask(RUN_TASK_ID);
  if (milestone) {
    for await (const _ of scan.tasks());
    return resume(milestone, scan.summary(), runId);
  }
  await checkUnused(store, runId);
  try {
    await store.insertTasks(scan.tasks());
  } catch (error) {
    // Another process started the same run at the same moment: go on with it.
    const other = error instanceof DuplicateTaskError && (await store.getTask(RUN_TASK_ID));
    if (!other) throw error;
    return resume(other, scan.summary(), runId);
  }
  return { state: 'new', summary: scan.summary() };
}

function resume(milestone: Task, summary: RunSummary, runId: string): RunStart {
  const found = readSummary(milestone.body);
  if (found?.digest !== summary.digest || found.tasks !== summary.tasks) {
    throw new UsageError(
      `The run ${JSON.stringify(runId)} in the database was started with other tasks (${found?.tasks ?? 'unknown'} of them) than ` +
        `these ${summary.tasks}. Give this one a name of its own with --run-id, or --fresh to delete the old run and start anew.`,
    );
  }
  return { state: milestone.statusCode === 'pending' ? 'resumed' : 'ended', summary };
}

/** Somebody else's namespace is neither to be mixed with nor to be deleted. */
async function checkUnused(store: TaskStore, runId: string): Promise<void> {
  for await (const task of store.listTasks({ limit: 1 })) {
    throw new UsageError(
      `The namespace ${JSON.stringify(runId)} holds tasks that belong to no run, like ${JSON.stringify(task.id)}. Choose another with --run-id.`,
    );
  }
}

/** Deletes every task of a namespace. */
export async function deleteAll(store: TaskStore): Promise<void> {
  await store.purgeTasks({ idPrefix: '' }, { force: true });
}
