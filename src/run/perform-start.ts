import { PermanentError } from '../errors.js';
import { InvalidValueError } from '../graph/graph-errors.js';
import type { Json, TaskInput } from '../store/task-store.js';
import type { ActorResult } from '../worker/actor.js';
import { below, INTERNAL, runIdOf } from './names.js';
import { completed, type Performing } from './performing.js';
import type { Work } from './plan.js';
import { toRunInput } from './run-input.js';
import { fieldOf } from './run-reader.js';
import { runTasks } from './run-tasks.js';
import { scheduledRunId } from './scheduled-run.js';

/*
 * A run that a schedule starts: the task that fired inserts it in the transaction of its own return, and is then
 * completed. So that the schedule knows when the run has ended, a milestone below that task waits for it: see
 * is_unfinished in SQL.
 *
 *   nightly/<due>  inserts  etl/nightly@<due> and its nodes,  etl/nightly@<due> -> nightly/<due>/~run
 *
 * The ids follow from the due time, so a task that is performed twice can start no second run. A run that is deleted takes
 * its milestone along.
 */

type Of<Role extends Work['role']> = Performing<Extract<Work, { role: Role }>>;

export async function performStart(performing: Of<'start'>): Promise<ActorResult> {
  const { work, task } = performing;
  const { graph } = work.scope;
  const run = runIdOf(graph, scheduledRunId(task.id));
  const end = below(task.id, INTERNAL.run);
  if (await isStarted(performing, run, end)) return completed({ run });
  const input = await inputOf(performing);
  const { priority, queue } = task;
  const tasks: TaskInput[] = [{ id: end, action: null }];
  for (const one of runTasks(graph, run, input, { priority, queue })) {
    tasks.push(one.id === run ? { ...one, toSignalAfter: [end] } : one);
  }
  return completed({ run }, tasks);
}

/** It is where this task has been run again by hand. PermanentError: its id was taken by another. */
async function isStarted({ reader }: Of<'start'>, run: string, end: string): Promise<boolean> {
  const [ofRun, ofEnd] = await reader.statuses([run, end]);
  if (ofRun && !ofEnd) {
    throw new PermanentError(`run ${JSON.stringify(run)} exists, and was not started by this task`);
  }
  return ofRun !== undefined;
}

/** PermanentError: another try would come to the same. */
async function inputOf({ work, task }: Of<'start'>): Promise<Json | undefined> {
  try {
    return await toRunInput(work.scope.graph, fieldOf(task.body, 'input'));
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    throw new PermanentError(error.message, { cause: error });
  }
}
