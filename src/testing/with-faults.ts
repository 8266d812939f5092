import type { Task, TaskStore } from '../store/task-store.js';
import { altered } from './altered.js';
import type { Faults, StoreCall } from './faults.js';

/** Complete by its type. */
const CALLS: Readonly<Record<StoreCall, true>> = Object.freeze({
  insertTasks: true,
  insertUnique: true,
  ownTasks: true,
  extendTaskDeadline: true,
  extendTaskDeadlines: true,
  beginTasks: true,
  returnTask: true,
  returnTasks: true,
  newWaiter: true,
  waitFor: true,
  getTask: true,
  getTasks: true,
  listTasks: true,
  reportProgress: true,
  countTasks: true,
  listRuns: true,
  listRunParts: true,
  getBodies: true,
  getOutcomes: true,
  why: true,
  updateTasks: true,
  signalTasks: true,
  cancelTasks: true,
  rerunTasks: true,
  deleteTasks: true,
  purgeTasks: true,
  cleanTasks: true,
  pause: true,
  resume: true,
  listPauses: true,
  setLimits: true,
  announceWorker: true,
  retireWorker: true,
  listWorkers: true,
  waitForReady: true,
});

/**
 * The store, whose calls fail as `faults` says, for the system under test; namespaces made of it fail with it. The test
 * itself looks through the store it gave. Schedules do not fail.
 */
export function withFaults(store: TaskStore, faults: Faults): TaskStore {
  return altered<TaskStore>(
    store,
    {
      withPrefix: (prefix) => withFaults(store.withPrefix(prefix), faults),
      listTasks: (filter) => listing(faults, () => store.listTasks(filter)),
    },
    (name, method) => (isCall(name) ? faults.meet(name, async () => method()) : method()),
  );
}

function isCall(name: string): name is StoreCall {
  return Object.hasOwn(CALLS, name);
}

/** Fails, or waits, before the first task. */
async function* listing(
  faults: Faults,
  list: () => AsyncIterable<Task>,
): AsyncGenerator<Task, void> {
  yield* await faults.meet('listTasks', async () => list());
}
