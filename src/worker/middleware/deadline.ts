import type { OwnedTask } from '../../store/task-store.js';
import { DeadlinePassedError } from '../worker-errors.js';
import type { Middleware } from './middleware.js';

interface DeadlineOptions {
  /** By when a task has to begin, from its body, say; null: whenever. */
  readonly by: (task: OwnedTask) => Date | null;
  /** Milliseconds since the epoch. Default Date.now. */
  readonly now?: () => number;
}

/** Aborts tasks that would begin too late, unperformed: DeadlinePassedError. One that began in time may end when it likes. */
export function deadline({ by, now = Date.now }: DeadlineOptions): Middleware {
  return async (task, _, next) => {
    const latest = by(task);
    if (latest && now() > latest.getTime()) throw new DeadlinePassedError(task.id, latest);
    return next();
  };
}
