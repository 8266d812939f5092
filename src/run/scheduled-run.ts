import { createHash } from 'node:crypto';
import { idFault } from '../graph/check-id.js';
import type { Graph } from '../graph/definition.js';
import type { ScheduleTask } from '../store/schedule-store.js';
import { startAction } from './names.js';
import { toJson, toRunInput } from './run-input.js';
import type { RunSettings } from './run-tasks.js';
import type { StartArguments } from './start-run.js';

const DIGEST_CHARACTERS = 32;

/**
 * The task of a schedule that starts a run of `graph` at each due time:
 * `schedules.put({ name, cron, task: await scheduledRun(etl, { url }) })`.
 *
 * The input is validated now, InvalidValueError, and again at each due time: defaults of its schema are those of then.
 * `priority` and `queue` are those of the start, and of nodes that do not say theirs.
 */
export async function scheduledRun<I>(
  graph: Graph<I, unknown>,
  ...[input, { priority, queue } = {}]: StartArguments<I, Pick<RunSettings, 'priority' | 'queue'>>
): Promise<ScheduleTask> {
  // What will be read at the due time, which may not be what was given: a Date is a text by then.
  const value = toJson(input);
  await toRunInput(graph, value);
  return {
    action: startAction(graph),
    body: value === undefined ? {} : { input: value },
    ...(priority === undefined ? {} : { priority }),
    ...(queue === undefined ? {} : { queue }),
  };
}

/**
 * The id of the run that a task of a schedule starts, for `box.run(graph, id)`: of `nightly/2026-03-01T01:30:00.000Z`
 * it is `nightly@2026-03-01T01:30:00.000Z`. The run is there once that task has completed. Where that would be too long, or
 * the same for another schedule (`a@b` and `a/b`), it is a digest.
 */
export function scheduledRunId(taskId: string): string {
  const id = taskId.replaceAll('/', '@');
  if (!taskId.includes('@') && idFault(id) === null) return id;
  return createHash('sha256').update(taskId).digest('hex').slice(0, DIGEST_CHARACTERS);
}
