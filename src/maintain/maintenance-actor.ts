import type { CleanOptions, TaskStore } from '../store/task-store.js';
import { type DefinedActor, defineActor } from '../worker/define-actor.js';
import { type InspectOptions, inspect, type StuckTask } from './inspect.js';

export interface MaintenanceOptions {
  clean?: Omit<CleanOptions, 'signal'>;
  inspect?: Omit<InspectOptions, 'signal'>;
  /** Told of each stuck task that is found; what it throws fails the try. */
  onStuck?: (stuck: StuckTask) => void | Promise<void>;
  /** The actor's. Default `'signalbox.maintenance'`. */
  id?: string;
}

/**
 * An actor that looks after the tasks of a store: `signalbox.clean` deletes runs that ended long ago, its result is
 * `{ deleted }`; `signalbox.inspect` finds stuck tasks, its result is `{ stuck: ids }`. Made to be performed by schedule.
 *
 * Two at once do no harm. A stop, or a lost lease, ends either between two batches; the next goes on.
 */
export function maintenanceActor(store: TaskStore, options: MaintenanceOptions = {}): DefinedActor {
  return defineActor(options.id ?? 'signalbox.maintenance', {
    'signalbox.clean': async (_task, { signal }) => ({
      deleted: await store.cleanTasks({ ...options.clean, signal }),
    }),
    'signalbox.inspect': async (_task, { signal }) => {
      const ids: string[] = [];
      for await (const stuck of inspect(store, { ...options.inspect, signal })) {
        ids.push(stuck.id);
        await options.onStuck?.(stuck);
      }
      return { stuck: ids };
    },
  });
}
