import type { StatusCode, Task, TaskOutcome, TaskStore } from '../store/task-store.js';
import { formatDuration } from './duration.js';
import { STATUS_CODES } from './option-parsers.js';
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

/**
 * Counts a run's tasks as they stand. Goes through all of them for the leaves' outcomes; else, told how many
 * there are (`expected`), only through those that have not completed, which is quicker by far.
 */
export async function tallyRun(
  store: TaskStore,
  { withLeaves, expected }: { withLeaves: boolean; expected?: number },
): Promise<RunTally> {
  const isQuick = expected !== undefined && !withLeaves;
  const counts: Partial<Record<StatusCode, number>> = {};
  const failed: TaskOutcome[] = [];
  const leaves: TaskOutcome[] = [];
  let tasks = 0;
  for await (const task of store.listTasks(isQuick ? { statusCodes: UNCOMPLETED } : {})) {
    if (task.id === RUN_TASK_ID) continue;
    tasks++;
    counts[task.statusCode] = (counts[task.statusCode] ?? 0) + 1;
    if (isFailure(task)) failed.push(toOutcome(task));
    if (withLeaves && task.toSignalAfter.includes(RUN_TASK_ID)) leaves.push(toOutcome(task));
  }
  if (!isQuick) return { tasks, counts, failed, leaves };
  return { tasks: expected, counts: { completed: expected - tasks, ...counts }, failed, leaves };
}

const UNCOMPLETED = STATUS_CODES.filter((code) => code !== 'completed');

/** A skipped task is none: a clean-up that was not needed is skipped, and where a failure skips tasks, it counts itself. */
export function isFailure({ statusCode }: { readonly statusCode: StatusCode }): boolean {
  return statusCode === 'aborted' || statusCode === 'cancelled';
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
