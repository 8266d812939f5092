import type { GraphDefinition, PerformSettings } from '../graph/node-definition.js';
import type { Json, TaskInput } from '../store/task-store.js';
import { taskId } from './names.js';
import type { PlannedTask } from './plan.js';
import { planOf } from './planner.js';
import { newStamp, type RunBody } from './run-body.js';

/** What all tasks of a run have in common. */
export interface RunSettings {
  /** Of nodes that do not say theirs. Default 0. */
  readonly priority?: number | undefined;
  /** Of nodes that do not say theirs. Default `'default'`. */
  readonly queue?: string | undefined;
  /** Nothing of the run begins before. */
  readonly startAfter?: Date | undefined;
}

/** Tries of what signalbox does itself, where it calls functions of the definition. */
export const OWN_MAX_TRIES = 3;

/** All tasks that a run begins with; `input` has been validated. Pure but for the stamp that they share. */
export function* runTasks(
  graph: GraphDefinition,
  run: string,
  input: Json | undefined,
  settings: RunSettings = {},
): Generator<TaskInput> {
  const { version, hash } = graph;
  const stamp = newStamp();
  const body: RunBody = {
    version,
    hash,
    stamp,
    ...(input === undefined ? {} : { input }),
  };
  for (const task of planOf(graph).tasks.values()) {
    yield toTask(task, run, task.path === '' ? { ...body } : stamp, settings);
  }
}

function toTask(task: PlannedTask, run: string, body: Json, settings: RunSettings): TaskInput {
  const { startAfter } = settings;
  return {
    id: taskId(run, task.path),
    action: task.action,
    ...(task.action === null ? {} : { body }),
    toSignalAfter: Array.from(task.targets, (path) => taskId(run, path)),
    ...(task.totalDependencies === undefined ? {} : { totalDependencies: task.totalDependencies }),
    ...(startAfter && !task.hasDependencies ? { startAfter } : {}),
    ...(task.isTireless ? {} : { maxTries: task.settings?.maxTries ?? OWN_MAX_TRIES }),
    ...performFields(task.settings, settings),
  };
}

/** How a task is performed but for its tries: what its node says, or else its run. */
export function performFields(
  settings: PerformSettings | null,
  run: RunSettings,
): Omit<TaskInput, 'id' | 'action'> {
  const priority = settings?.priority ?? run.priority;
  const queue = settings?.queue ?? run.queue;
  return {
    ...(settings?.retry ? { retry: settings.retry } : {}),
    ...(priority === undefined ? {} : { priority }),
    ...(queue === undefined ? {} : { queue }),
    ...(settings?.limitKey ? { limitKey: settings.limitKey } : {}),
    ...(settings?.limitKey && settings.limit !== null ? { limit: settings.limit } : {}),
  };
}
