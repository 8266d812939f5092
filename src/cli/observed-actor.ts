import type { TaskInput } from '../store/task-store.js';
import type { Actor, ReturnedHook } from '../worker/actor.js';
import type { ProgressCounts } from './progress-text.js';

/** Counts what becomes of tasks, so that nobody has to ask the database. */
export interface WorkCounter {
  /** As they stand now; `total` grows with the tasks that handlers add. */
  counts(): ProgressCounts;
  /** The tasks that handlers have added, milestones too. */
  added(): number;
  /** For managers: counts tasks that have ended. */
  readonly onReturned: ReturnedHook;
  /** The same actor, the tasks that it adds counted. `mapTask` changes each of them. */
  observe(actor: Actor, mapTask?: (task: TaskInput) => TaskInput): Actor;
}

/** Begins at `initial`. */
export function workCounter(initial: ProgressCounts): WorkCounter {
  let { done, failed, total } = initial;
  let added = 0;
  const countAdded = (tasks: readonly TaskInput[]) => {
    added += tasks.length;
    if (total !== null) total += tasks.filter(({ action }) => action !== null).length;
  };
  return {
    counts: () => ({ done, failed, total }),
    added: () => added,
    onReturned(_, { statusCode }) {
      if (statusCode === 'aborted') failed++;
      if (statusCode === 'aborted' || statusCode === 'completed') done++;
    },
    observe: (actor, mapTask) => ({
      id: actor.id,
      get actions() {
        return actor.actions;
      },
      get settings() {
        return actor.settings ?? {};
      },
      onChange: (listener) => actor.onChange?.(listener) ?? (() => {}),
      async handle(task, context) {
        const result = await actor.handle(task, context);
        if (!result.tasks) return result;
        countAdded(result.tasks);
        return mapTask ? { ...result, tasks: result.tasks.map(mapTask) } : result;
      },
    }),
  };
}
