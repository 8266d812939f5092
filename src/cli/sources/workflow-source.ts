import type { Json } from '../../store/task-store.js';
import { toTasks } from '../../workflow/wf-format.js';
import type { RunSource } from './run-source.js';
import { TaskRun } from './task-run.js';

/** A workflow in WfFormat: its tasks sleep for as long as was recorded, or run their commands. */
export function workflowSource(file: string, document: Json): RunSource {
  return new TaskRun(file, 'a workflow', ({ speedUp = 1, exec = false }) => ({
    tasks: toTasks(document, { speedUp, exec }),
    actors: [],
  }));
}
