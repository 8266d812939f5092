import type { OwnedTask } from '../../store/task-store.js';
import type { ActorResult } from '../actor.js';
import type { Middleware } from './middleware.js';

/** How a handler went: with a `result`, or with what it threw as `error`. */
export type TaskObservation = {
  readonly task: OwnedTask;
  readonly durationMs: number;
} & ({ readonly result: ActorResult } | { readonly error: unknown });

/**
 * Calls `observer` when a handler has ended, before its task is returned: see `onReturned` for what became of it. What the
 * observer throws counts as thrown by the handler.
 */
export function observeTasks(observer: (observation: TaskObservation) => void): Middleware {
  return async (task, _, next) => {
    const beganAt = performance.now();
    let result: ActorResult;
    try {
      result = await next();
    } catch (error) {
      observer({ task, durationMs: performance.now() - beganAt, error });
      throw error;
    }
    observer({ task, durationMs: performance.now() - beganAt, result });
    return result;
  };
}
