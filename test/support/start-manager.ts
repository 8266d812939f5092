import { onTestFinished } from 'vitest';
import {
  type ActionHandler,
  ActionManager,
  type Actor,
  defineActor,
  type ManagerOptions,
  type ManualActor,
  type TaskStore,
} from '../../src/index.js';

/** A started manager, stopped at the end of the test. */
export async function startManager(
  store: TaskStore,
  actor: Actor | ManualActor | readonly Actor[] | ActionHandler,
  options: ManagerOptions = {},
): Promise<ActionManager> {
  const performing = typeof actor === 'function' ? defineActor('actor', { work: actor }) : actor;
  const manager = new ActionManager(store, performing, { waitTimeMs: 50, ...options });
  onTestFinished(() => manager.stop({ timeoutMs: 0 }));
  await manager.start();
  return manager;
}
