import type { Exports } from '../load-module.js';
import { actorsOf, tasksOf } from '../modules.js';
import type { RunSource } from './run-source.js';
import { TaskRun } from './task-run.js';

/** A module that exports tasks, and the actors for them. */
export function moduleSource(file: string, exports: Exports): RunSource {
  return new TaskRun(file, 'a module with tasks', async () => ({
    tasks: await tasksOf(exports, file),
    actors: actorsOf(exports),
  }));
}
