import type { ReturnedHook } from '../worker/actor.js';
import type { Middleware } from '../worker/middleware/middleware.js';
import type { ProgressCounts } from './progress-text.js';

/** Counts what becomes of tasks, so that nobody has to ask the database. */
export interface WorkCounter {
  /** As they stand now; `total` grows with the tasks that handlers add. */
  counts(): ProgressCounts;
  /** For managers: counts tasks that have ended. */
  readonly onReturned: ReturnedHook;
  /** For managers: counts the tasks that handlers add. */
  readonly middleware: Middleware;
}

/** Begins at `initial`. */
export function workCounter(initial: ProgressCounts): WorkCounter {
  let { done, failed, total } = initial;
  return {
    counts: () => ({ done, failed, total }),
    onReturned(_, { statusCode }) {
      if (statusCode === 'aborted') failed++;
      if (statusCode === 'aborted' || statusCode === 'completed') done++;
    },
    async middleware(_task, _context, next) {
      const result = await next();
      const { tasks = [] } = result;
      if (total !== null) total += tasks.filter(({ action }) => action !== null).length;
      return result;
    },
  };
}
