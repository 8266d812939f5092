import type { OwnedTask, TaskInput } from '../store/task-store.js';
import { type Actor, type ActorResult, toFailure } from '../worker/actor.js';
import type { ProgressCounts } from './progress-text.js';

/** Counts what actors make of their tasks, so that nobody has to ask the database. */
export interface WorkCounter {
  /** As they stand now; `total` grows with the tasks that handlers add. */
  counts(): ProgressCounts;
  /** The tasks that handlers have added, milestones too. */
  added(): number;
  /** The same actor, counted. `mapTask` changes each task that it adds. */
  observe(actor: Actor, mapTask?: (task: TaskInput) => TaskInput): Actor;
}

/** Begins at `initial`. */
export function workCounter(initial: ProgressCounts): WorkCounter {
  let { done, failed, total } = initial;
  let added = 0;
  const count = (task: OwnedTask, { statusCode, startAfter, tasks = [] }: ActorResult) => {
    added += tasks.length;
    if (total !== null) total += tasks.filter(({ action }) => action !== null).length;
    const isLastTry = task.maxTries !== null && task.numTries >= task.maxTries;
    const isAborted =
      statusCode === 'aborted' || (statusCode === 'pending' && isLastTry && !startAfter);
    if (isAborted) failed++;
    if (isAborted || statusCode === 'completed') done++;
  };
  return {
    counts: () => ({ done, failed, total }),
    added: () => added,
    observe: (actor, mapTask) => ({
      id: actor.id,
      actions: actor.actions,
      ...(actor.settings ? { settings: actor.settings } : {}),
      async handle(task, context) {
        const result = await settle(actor.handle(task, context));
        // What an interrupted handler says is dropped: its task goes back as it was.
        if (result.statusCode !== 'pending' || !context.signal.aborted) count(task, result);
        if (!result.tasks || !mapTask) return result;
        return { ...result, tasks: result.tasks.map(mapTask) };
      },
    }),
  };
}

/** A throw becomes the result that the manager would make of it. */
async function settle(handled: Promise<ActorResult>): Promise<ActorResult> {
  try {
    return await handled;
  } catch (thrown) {
    return toFailure(thrown);
  }
}
