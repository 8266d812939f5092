import type pg from 'pg';
import type { StatusCode } from '../../../src/index.js';
import { type ModelTask, type Place, placeOf } from './model-task.js';
import type { TaskModel } from './task-model.js';
import { toMs } from './times.js';

/** A task as model and engine both tell it. */
export interface TaskRecord {
  readonly id: string;
  readonly statusCode: StatusCode;
  readonly place: Place | 'nowhere';
  readonly numTries: number;
  readonly signals: string;
  /** Of those in a timer. */
  readonly dueMs: number | null;
  readonly token: string | null;
  readonly deadlineMs: number | null;
  readonly isBegun: boolean;
  readonly priority: number;
  readonly numAttempts: number;
  readonly status: string | null;
}

/** All tasks of a model, in the order of their ids. */
export function expectedRecords(model: TaskModel): TaskRecord[] {
  return [...model.tasks.values()]
    .map(toRecord)
    .sort((a, b) => Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)));
}

function toRecord(task: ModelTask): TaskRecord {
  const place = placeOf(task);
  const { numSignals, total, numFailures, numSkipped } = task;
  return {
    id: task.spec.id,
    statusCode: task.statusCode,
    place,
    numTries: task.numTries,
    signals: signalsText(numSignals, total, numFailures, numSkipped),
    dueMs: place === 'timer' ? task.dueMs : null,
    token: task.token,
    deadlineMs: task.deadlineMs,
    isBegun: place === 'owned' && task.isBegun,
    priority: task.spec.priority,
    numAttempts: task.numAttempts,
    status: task.status,
  };
}

interface TaskRow {
  id: string;
  status_code: StatusCode;
  num_tries: number;
  total_dependencies: number;
  num_signals: number;
  num_failures: number;
  num_skipped: number;
  due_at: Date | null;
  performance_token: string | null;
  action_deadline: Date | null;
  started_at: Date | null;
  priority: number;
  num_attempts: number;
  status: string | null;
  lane: string | null;
}

/** All tasks of the schema that is the pool's search_path, in the order of their ids. */
export async function actualRecords(pool: pg.Pool): Promise<TaskRecord[]> {
  const { rows } = await pool.query<TaskRow>(
    `select t.id, t.status_code, t.num_tries, t.total_dependencies, t.num_signals, t.num_failures,
       t.num_skipped, t.due_at, t.performance_token, t.action_deadline, t.started_at, t.priority,
       (select count(*)::integer from attempt a where a.task_id = t.id) as num_attempts, t.status,
       r.action as lane
     from task t left join ready r on r.id = t.id
     order by t.id`,
  );
  return rows.map((row) => {
    const place = actualPlace(row);
    const { num_signals, total_dependencies, num_failures, num_skipped } = row;
    return {
      id: row.id,
      statusCode: row.status_code,
      place,
      numTries: row.num_tries,
      signals: signalsText(num_signals, total_dependencies, num_failures, num_skipped),
      dueMs: place === 'timer' ? toMs(row.due_at) : null,
      token: row.performance_token,
      deadlineMs: toMs(row.action_deadline),
      isBegun: place === 'owned' && row.started_at !== null,
      priority: row.priority,
      numAttempts: row.num_attempts,
      status: kindOfStatus(row.status),
    };
  });
}

function signalsText(signals: number, total: number, failures: number, skipped: number): string {
  return `${signals} of ${total}, ${failures} failed, ${skipped} skipped`;
}

/** By where its id is found, not by what its columns say should be. */
function actualPlace(row: TaskRow): TaskRecord['place'] {
  if (row.lane !== null) return row.lane === '' ? 'engine' : 'ready';
  if (row.performance_token !== null) return 'owned';
  if (row.status_code !== 'pending') return 'ended';
  if (row.num_signals < row.total_dependencies) return 'waiting';
  return row.due_at === null ? 'nowhere' : 'timer';
}

/** The texts that the engine writes say more than the model knows. */
function kindOfStatus(status: string | null): string | null {
  if (status?.startsWith('deadline of try ')) return 'lapsed';
  if (status?.startsWith('owned ahead by ')) return 'was owned ahead';
  return status?.includes(' does not hold: ') ? 'skipped' : status;
}
