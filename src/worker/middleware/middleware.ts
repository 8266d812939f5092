import type { OwnedTask } from '../../store/task-store.js';
import type { ActionContext, ActorResult } from '../actor.js';

/**
 * Stands around handlers. `next()` performs the task, by the middleware used later and then the handler, and gives what
 * they made of it, or rejects with what they threw.
 *
 * What it returns is what becomes of the task: what `next()` gave, or something else; nothing means what `next()` gave. Without a call of
 * `next()` the task is not performed, and nothing means completed. What it throws counts as thrown by the handler.
 */
export type Middleware = (
  task: OwnedTask,
  context: ActionContext,
  next: () => Promise<ActorResult>,
) => Promise<ActorResult | void>;

type Perform = (task: OwnedTask, context: ActionContext) => Promise<ActorResult>;

/** Performs a task within the middleware, the first outermost. */
export function performWithin(
  middleware: readonly Middleware[],
  perform: Perform,
  task: OwnedTask,
  context: ActionContext,
): Promise<ActorResult> {
  const run = async (i: number): Promise<ActorResult> => {
    const current = middleware[i];
    if (!current) return perform(task, context);
    let inner: Promise<ActorResult> | undefined;
    const result = await current(task, context, () => {
      if (inner) throw new Error(`a middleware called next() twice for task ${task.id}`);
      inner = run(i + 1);
      return inner;
    });
    return result ?? inner ?? { statusCode: 'completed' };
  };
  return run(0);
}
