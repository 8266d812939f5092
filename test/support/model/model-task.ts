import type { RunWhen, StatusCode } from '../../../src/index.js';

/** What an insert fixes. Times and durations are in milliseconds of the model's clock. */
export interface TaskSpec {
  readonly id: string;
  /** Null: a milestone. */
  readonly action: string | null;
  readonly queue: string;
  readonly priority: number;
  readonly runWhen: RunWhen;
  readonly targets: readonly string[];
  /** Null: as many as list it. */
  readonly givenTotal: number | null;
  readonly startAfterMs: number | null;
  readonly maxTries: number | null;
  readonly retryDelayMs: number | null;
  readonly retryFactor: number | null;
  readonly retryMaxDelayMs: number | null;
  readonly retryJitter?: number;
  readonly maxDurationMs: number | null;
  readonly uniqueKey: string | null;
  readonly uniqueUntilStarted?: boolean;
  readonly uniqueForMs?: number | null;
  readonly limitKey?: string;
  readonly fairKey?: string;
}

/** What moves. */
export interface ModelTask {
  spec: TaskSpec;
  statusCode: StatusCode;
  numTries: number;
  total: number;
  numSignals: number;
  numFailures: number;
  numSkipped: number;
  /** Pending and not to be owned before. */
  dueMs: number | null;
  token: string | null;
  deadlineMs: number | null;
  /** Owned, and its lapse costs the try. */
  isBegun: boolean;
  /** Tries that failed. */
  numAttempts: number;
  status: string | null;
  /** In which step it became ready: tasks of one step are in no order among themselves. */
  readyStep: number;
}

/** Where a task is to be found. */
export type Place = 'waiting' | 'timer' | 'ready' | 'engine' | 'owned' | 'ended';

export function placeOf(task: ModelTask): Place {
  if (task.statusCode === 'in-progress') return 'owned';
  if (task.statusCode !== 'pending') return 'ended';
  if (task.numSignals < task.total) return 'waiting';
  if (task.dueMs !== null) return 'timer';
  return isForActor(task) ? 'ready' : 'engine';
}

export function isEnded(task: ModelTask): boolean {
  return placeOf(task) === 'ended';
}

/** A milestone is the engine's, and so is a task whose run_when fails. */
function isForActor(task: ModelTask): boolean {
  return task.spec.action !== null && mayRun(task);
}

function mayRun({ spec, numSignals, numFailures, numSkipped }: ModelTask): boolean {
  switch (spec.runWhen) {
    case 'all_done':
      return true;
    case 'all_succeeded':
      return numFailures === 0 && numSkipped === 0;
    case 'any_failed':
      return numFailures > 0;
    case 'any_succeeded':
      return numSignals - numFailures - numSkipped > 0;
  }
}

/** When a try that did not end the task is followed by the next; null: at once. */
export function retryAt(task: ModelTask, nowMs: number): number | null {
  const { retryDelayMs, retryFactor, retryMaxDelayMs } = task.spec;
  if (retryDelayMs === null) return null;
  const delayMs = retryDelayMs * (retryFactor ?? 1) ** (task.numTries - 1);
  return later(nowMs + Math.min(delayMs, retryMaxDelayMs ?? Number.POSITIVE_INFINITY), nowMs);
}

/** A time, if it is still ahead. */
export function later(timeMs: number | null, nowMs: number): number | null {
  return timeMs !== null && timeMs > nowMs ? timeMs : null;
}

export function hasTriesLeft({ spec, numTries }: ModelTask): boolean {
  return spec.maxTries === null || numTries < spec.maxTries;
}
