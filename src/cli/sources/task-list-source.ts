import type { Json } from '../../store/task-store.js';
import { parseTaskList } from '../../workflow/task-list.js';
import type { RunSource } from './run-source.js';
import { TaskRun } from './task-run.js';

/** A JSON list of tasks. */
export function taskListSource(file: string, document: Json): RunSource {
  return new TaskRun(file, 'a list of tasks', () => ({
    tasks: parseTaskList(document),
    actors: [],
  }));
}
