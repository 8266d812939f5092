import { isFailure } from '../store/status-code.js';
import type { Task, TaskCount, TaskStore } from '../store/task-store.js';
import type { Actor } from '../worker/actor.js';
import type { Middleware } from '../worker/middleware/middleware.js';
import { InterruptedError } from './cli-errors.js';
import { Progress } from './progress.js';
import { countOf, formatCount, type ProgressCounts } from './progress-text.js';
import { hasEnded, numEnded, type RunReport, tallyRun } from './run-report.js';
import { RUN_TASK_ID, signalRun } from './run-scan.js';
import type { RunStart } from './run-start.js';
import type { Session } from './session.js';
import { workCounter } from './work-counter.js';
import { whileWorking } from './working.js';

export interface PerformOptions {
  readonly runId: string;
  readonly start: RunStart;
  /** Whether the run can be gone on with later. */
  readonly isKept: boolean;
  readonly workers: number;
  /** How soon the tasks of a crashed run come back. */
  readonly maxDurationMs: number;
  readonly drainMs: number;
  readonly timeoutMs?: number;
}

/**
 * Performs what is left of a run, waits for its milestone, and gives the whole run's report.
 * WaitTimeoutError, InterruptedError; all that was owned has then been handed back.
 */
export async function performRun(
  session: Session,
  store: TaskStore,
  actors: readonly Actor[],
  options: PerformOptions,
): Promise<RunReport> {
  const { output } = session;
  const { runId, start } = options;
  const withLeaves = output.isJson;
  if (start.state === 'ended') {
    const tally = await tallyRun(store, { withLeaves });
    const seconds = await recordedSeconds(store);
    return { runId, state: start.state, ...tally, ...speed(tally.tasks, seconds) };
  }
  const before = await initialCounts(store, start);
  noteStart(session, options, before);
  const beganMs = performance.now();
  await perform(session, store, actors, { ...options, before });
  const seconds = (performance.now() - beganMs) / 1_000;
  const tally = await tallyRun(store, { withLeaves });
  const numPerformed = numEnded(tally.counts) - before.ended;
  return { runId, state: start.state, ...tally, ...speed(numPerformed, seconds) };
}

interface InitialCounts extends ProgressCounts {
  /** Milestones too. */
  readonly ended: number;
  /** Those that another process works on, or did when it crashed. */
  readonly held: number;
}

/** Of an interrupted run: what it had done. Asked once; from then on this process counts by itself. */
async function initialCounts(
  store: TaskStore,
  { state, summary }: RunStart,
): Promise<InitialCounts> {
  if (state === 'new') return { done: 0, failed: 0, total: summary.actions, ended: 0, held: 0 };
  const counts = await store.countTasks();
  const sum = (fits: (count: TaskCount) => boolean) =>
    counts.filter(fits).reduce((all, { count }) => all + count, 0);
  return {
    done: sum((one) => one.action !== null && hasEnded(one)),
    failed: sum(isFailure),
    total: sum(({ action }) => action !== null),
    ended: sum(hasEnded),
    held: sum(({ statusCode }) => statusCode === 'in-progress'),
  };
}

function noteStart(
  { output }: Session,
  { runId, start }: PerformOptions,
  before: InitialCounts,
): void {
  const { tasks } = start.summary;
  output.note(
    start.state === 'new'
      ? `Run ${runId}: ${countOf(tasks, 'task')} inserted.`
      : `Run ${runId}: going on, ${formatCount(before.ended)} of ${countOf(tasks, 'task')} had ended.`,
  );
  if (before.held > 0) {
    output.note(
      `${formatCount(before.held)} are in other hands; those of a process that crashed come back soon.`,
    );
  }
  output.event({
    run: { runId, state: start.state, tasks, ended: before.ended, held: before.held },
  });
}

async function perform(
  { output, interrupted }: Session,
  store: TaskStore,
  actors: readonly Actor[],
  options: PerformOptions & { before: InitialCounts },
): Promise<void> {
  const { workers, maxDurationMs, drainMs, timeoutMs, start } = options;
  const counter = workCounter(options.before);
  using progress = new Progress({ output, counts: counter.counts });
  const { queues } = start.summary;
  const workingOptions = {
    workers,
    maxDurationMs,
    drainMs,
    logger: output.logger,
    onReturned: counter.onReturned,
    middleware: [counter.middleware, addedSignalRun],
    ...(queues.length > 0 ? { queues } : {}),
  };
  try {
    await whileWorking(store, actors, workingOptions, async () => {
      progress.start();
      const timeout = timeoutMs === undefined ? {} : { timeoutMs };
      await store.waitFor(RUN_TASK_ID, { signal: interrupted, ...timeout });
    });
  } catch (error) {
    throw interrupted.aborted ? interruption(options, counter.counts()) : error;
  }
}

/** The run ends when the tasks that handlers add have ended, too. */
const addedSignalRun: Middleware = async (_task, _context, next) => {
  const result = await next();
  return result.tasks ? { ...result, tasks: result.tasks.map(signalRun) } : result;
};

function interruption(
  { runId, isKept }: PerformOptions,
  { done, total }: ProgressCounts,
): InterruptedError {
  const goOn = isKept ? ' The same command goes on from there.' : '';
  return new InterruptedError(
    `Run ${runId} was interrupted with ${formatCount(done)} of ${countOf(total ?? done, 'task')} done.${goOn}`,
  );
}

async function recordedSeconds(store: TaskStore): Promise<number> {
  const milestone: Task | null = await store.getTask(RUN_TASK_ID);
  if (!milestone?.finishedAt) return 0;
  return (milestone.finishedAt.getTime() - milestone.createdAt.getTime()) / 1_000;
}

function speed(tasks: number, seconds: number): { seconds: number; tasksPerSecond: number } {
  return { seconds, tasksPerSecond: seconds > 0 ? tasks / seconds : 0 };
}
