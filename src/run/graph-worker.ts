import type { GraphDefinition } from '../graph/node-definition.js';
import type { TaskStore } from '../store/task-store.js';
import { ActionManager } from '../worker/action-manager.js';
import type { ManagerOptions } from '../worker/manager-options.js';
import { GraphActor, type GraphActorOptions } from './graph-actor.js';

export interface GraphWorkerOptions extends ManagerOptions, GraphActorOptions {}

/** A manager that performs graphs; not started. InvalidOptionError. */
export function graphWorker(
  store: TaskStore,
  graphs: readonly GraphDefinition[],
  { handlers, actorId, ...options }: GraphWorkerOptions = {},
): ActionManager {
  const actor = new GraphActor(store, graphs, {
    ...(handlers ? { handlers } : {}),
    ...(actorId === undefined ? {} : { actorId }),
  });
  return new ActionManager(store, actor, options);
}
