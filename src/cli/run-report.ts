import type { StatusCode, Task, TaskOutcome, TaskStore } from '../store/task-store.js';
import { formatDuration } from './duration.js';
import { formatCount, formatRate } from './progress-text.js';
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

/** Goes through all tasks of a run once; with `withLeaves` it keeps the leaves' outcomes. */
export async function tallyRun(
  store: TaskStore,
  { withLeaves }: { withLeaves: boolean },
): Promise<RunTally> {
  const counts: Partial<Record<StatusCode, number>> = {};
  const failed: TaskOutcome[] = [];
  const leaves: TaskOutcome[] = [];
  let tasks = 0;
  for await (const task of store.listTasks()) {
    if (task.id === RUN_TASK_ID) continue;
    tasks++;
    counts[task.statusCode] = (counts[task.statusCode] ?? 0) + 1;
    if (isFailure(task)) failed.push(toOutcome(task));
    if (withLeaves && task.toSignalAfter.includes(RUN_TASK_ID)) leaves.push(toOutcome(task));
  }
  return { tasks, counts, failed, leaves };
}

/** A skipped task is none: a clean-up that was not needed is skipped, and where a failure skips tasks, it counts itself. */
export function isFailure({ statusCode }: { readonly statusCode: StatusCode }): boolean {
  return statusCode === 'aborted' || statusCode === 'cancelled';
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
  const parts = Object.entries(counts).map(([code, count]) => `${formatCount(count)} ${code}`);
  const shown = failed.slice(0, SHOWN_FAILURES);
  const rest = failed.length - shown.length;
  return [
    state === 'ended'
      ? `Run ${runId} had ended already; it took ${took}.`
      : `Run ${runId} ended after ${took}.`,
    `${formatCount(tasks)} tasks: ${parts.join(', ') || 'none'}`,
    ...shown.map(
      ({ id, statusCode, status }) => `  ${statusCode}  ${id}${status ? `  ${status}` : ''}`,
    ),
    ...(rest > 0 ? [`  and ${formatCount(rest)} more; see signalbox list --status aborted`] : []),
  ];
}
