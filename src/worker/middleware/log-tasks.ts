import { SnoozeError } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { Middleware } from './middleware.js';

/**
 * Logs when handlers begin (debug) and end: info with what they made of the task, or that they snoozed it, warn with what
 * they threw, each with the duration. A pino logger fits as it is. Default: the manager's logger.
 */
export function logTasks(logger?: Logger): Middleware {
  return async (task, context, next) => {
    const log = logger ?? context.logger;
    const fields = { id: task.id, action: task.action, numTries: task.numTries };
    log.debug(fields, 'task begins');
    const beganAt = performance.now();
    const durationMs = (): number => Math.round(performance.now() - beganAt);
    try {
      const result = await next();
      log.info({ ...fields, statusCode: result.statusCode, durationMs: durationMs() }, 'task ends');
      return result;
    } catch (err) {
      if (err instanceof SnoozeError) {
        const { startAfter } = err;
        log.info({ ...fields, startAfter, durationMs: durationMs() }, 'task snoozed');
      } else {
        log.warn({ ...fields, err, durationMs: durationMs() }, 'task failed');
      }
      throw err;
    }
  };
}
