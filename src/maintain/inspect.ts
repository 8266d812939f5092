import { InvalidOptionError, TaskNotFoundError } from '../errors.js';
import type { Task, TaskFilter, TaskStanding, TaskStore, WaitReason } from '../store/task-store.js';

export interface InspectOptions {
  /** How long a task must have stood still. Default an hour. */
  stuckAfterMs?: number;
  /** At most so many are found, and of tasks that wait for signals at most so many are looked at. Default 100. */
  limit?: number;
  idPrefix?: string;
  /** Milliseconds since 1970, about as the database has them. Default: Date.now. */
  now?: () => number;
  signal?: AbortSignal;
}

/** A task that stands still, and why. */
export interface StuckTask {
  readonly id: string;
  readonly standing: TaskStanding;
}

const DEFAULTS = Object.freeze({ stuckAfterMs: 3_600_000, limit: 100 });

/**
 * Finds unfinished tasks that have not changed for long, in the order of their ids.
 *
 * Left out are tasks that are not to start yet, and those that wait for other unfinished tasks only: these are looked at
 * themselves. So what is found is what holds things up: tasks in progress for long, tasks that nobody takes, signals
 * that nobody gives. A task that has moved on since it was found is left out too. InvalidOptionError.
 */
export async function* inspect(
  store: TaskStore,
  options: InspectOptions = {},
): AsyncGenerator<StuckTask, void> {
  const { limit, signal } = { ...DEFAULTS, ...options };
  let numFound = 0;
  let numWaiting = 0;
  for await (const task of store.listTasks(toFilter(options))) {
    signal?.throwIfAborted();
    // To see what a waiting task waits for takes a look at all tasks.
    if (isWaiting(task) && ++numWaiting > limit) continue;
    const standing = await standingOf(store, task.id);
    if (!standing || !isStuck(standing)) continue;
    yield { id: task.id, standing };
    if (++numFound === limit) return;
  }
}

function toFilter({ idPrefix = '', now = Date.now, ...options }: InspectOptions): TaskFilter {
  const { stuckAfterMs, limit } = { ...DEFAULTS, ...options };
  if (!(stuckAfterMs >= 0 && Number.isFinite(stuckAfterMs))) {
    throw new InvalidOptionError(
      'stuckAfterMs',
      `is ${stuckAfterMs}; give milliseconds, 0 or more`,
    );
  }
  if (!(Number.isInteger(limit) && limit >= 1)) {
    throw new InvalidOptionError('limit', `is ${limit}; give a whole number from 1 up`);
  }
  const updatedBefore = new Date(now() - stuckAfterMs);
  return { idPrefix, updatedBefore, statusCodes: ['pending', 'in-progress'] };
}

function isWaiting({ statusCode, numSignals, totalDependencies }: Task): boolean {
  return statusCode === 'pending' && numSignals < totalDependencies;
}

/** Null: it has been deleted meanwhile. */
async function standingOf(store: TaskStore, id: string): Promise<TaskStanding | null> {
  try {
    return await store.why(id);
  } catch (error) {
    if (error instanceof TaskNotFoundError) return null;
    throw error;
  }
}

function isStuck({ reasons }: TaskStanding): boolean {
  return !reasons.every(isInOrder);
}

/** Nothing that a person has to look after at this task. */
function isInOrder(reason: WaitReason): boolean {
  if (reason.kind === 'signals') return reason.roots.length > 0;
  return reason.kind === 'start-time' || reason.kind === 'ended';
}
