import type { TaskStore } from '../store/task-store.js';
import { ActionManager } from '../worker/action-manager.js';
import type { Actor } from '../worker/actor.js';
import type { ManagerOptions } from '../worker/manager-options.js';
import type { Middleware } from '../worker/middleware/middleware.js';

/** How long running handlers get when the command is stopped before their tasks are handed back. */
export const DEFAULT_DRAIN_MS = 5_000;

/** A stop without hurry waits for handlers that run; this one must not keep the user waiting. */
export interface WorkingOptions extends ManagerOptions {
  drainMs: number;
  /** The first outermost. */
  middleware: readonly Middleware[];
}

/** Has a manager for each actor perform tasks while `work` runs. All is handed back when this settles. */
export async function whileWorking<T>(
  store: TaskStore,
  actors: readonly Actor[],
  { drainMs, middleware, ...options }: WorkingOptions,
  work: () => Promise<T>,
): Promise<T> {
  const managers = actors.map((actor) => {
    const manager = new ActionManager(store, actor, options);
    for (const one of middleware) manager.use(one);
    return manager;
  });
  try {
    await Promise.all(managers.map((manager) => manager.start()));
    return await work();
  } finally {
    await Promise.all(managers.map((manager) => manager.stop({ timeoutMs: drainMs })));
  }
}
