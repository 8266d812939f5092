import { FAILURES, isFailure } from '../store/status-code.js';
import type { StatusCode, Task, TaskOutcome, TaskStore } from '../store/task-store.js';
import { formatDuration } from './duration.js';
import { countOf, formatCount, formatRate } from './progress-text.js';
import { RUN_TASK_ID } from './run-scan.js';

type Counts = Readonly<Partial<Record<StatusCode, number>>>;

/** How the tasks of a run stand, in all. */
export interface RunTally {
  readonly tasks: number;
  readonly counts: Counts;
  /** Those that were aborted or cancelled. */
  readonly failed: readonly TaskOutcome[];
  /** Those that signal no other task. */
  readonly leaves: readonly TaskOutcome[];
}

/** What `signalbox run --json` prints. */
export interface RunReport extends RunTally {
  readonly runId: string;
  readonly state: 'new' | 'resumed' | 'ended';
  /** What this process took; for a run that had ended, what it took from its insert to its end. */
  readonly seconds: number;
  readonly tasksPerSecond: number;
}

/** A run's tasks as they stand. With leaves, it goes through all of them; else only through those that failed. */
export async function tallyRun(
  store: TaskStore,
  { withLeaves }: { withLeaves: boolean },
): Promise<RunTally> {
  const counts = await countRun(store);
  const failed: TaskOutcome[] = [];
  const leaves: TaskOutcome[] = [];
  for await (const task of store.listTasks(withLeaves ? {} : { statusCodes: FAILURES })) {
    if (task.id === RUN_TASK_ID) continue;
    if (isFailure(task)) failed.push(toOutcome(task));
    if (withLeaves && task.toSignalAfter.includes(RUN_TASK_ID)) leaves.push(toOutcome(task));
  }
  const tasks = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return { tasks, counts, failed, leaves };
}

/** By status; the milestone is no task of its run. */
async function countRun(store: TaskStore): Promise<Counts> {
  const milestone = await store.getTask(RUN_TASK_ID);
  const counts: Partial<Record<StatusCode, number>> = {};
  for (const { queue, action, statusCode, count } of await store.countTasks()) {
    const holdsMilestone =
      action === null && queue === milestone?.queue && statusCode === milestone.statusCode;
    const numTasks = holdsMilestone ? count - 1 : count;
    if (numTasks > 0) counts[statusCode] = (counts[statusCode] ?? 0) + numTasks;
  }
  return counts;
}

export function hasEnded({ statusCode }: { readonly statusCode: StatusCode }): boolean {
  return statusCode !== 'pending' && statusCode !== 'in-progress';
}

/** Tasks of these counts that have ended. */
export function numEnded({ pending = 0, 'in-progress': running = 0, ...ended }: Counts): number {
  return Object.values(ended).reduce((sum, count) => sum + count, 0);
}

function toOutcome({ id, statusCode, status, result }: Task): TaskOutcome {
  return { id, statusCode, status, result };
}

const SHOWN_FAILURES = 20;

/** The report in lines for people. */
export function formatReport(report: RunReport): string[] {
  const { runId, tasks, counts, failed, seconds, tasksPerSecond, state } = report;
  const took = `${formatDuration(seconds * 1_000)} (${formatRate(tasksPerSecond)} tasks/s)`;
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([code, count]) => `${formatCount(count)} ${code}`);
  const shown = failed.slice(0, SHOWN_FAILURES);
  const rest = failed.length - shown.length;
  return [
    state === 'ended'
      ? `Run ${runId} had ended already; it took ${took}.`
      : `Run ${runId} ended after ${took}.`,
    `${countOf(tasks, 'task')}: ${parts.join(', ') || 'none'}`,
    ...shown.map(
      ({ id, statusCode, status }) => `  ${statusCode}  ${id}${status ? `  ${status}` : ''}`,
    ),
    ...(rest > 0 ? [`  and ${formatCount(rest)} more; see signalbox list --status aborted`] : []),
  ];
}
