import type { ClaimedPosition } from './claim-cursor.js';
import type { RawRow } from './database.js';
import type {
  Attempt,
  Json,
  LimitSlots,
  LiveWorker,
  OwnedTask,
  Progress,
  RunPart,
  RunRow,
  RunWhen,
  StatusCode,
  Task,
  TaskBody,
  TaskCount,
  TaskOutcome,
  WatchReport,
} from './task-store.js';

/** The columns that `toTask` reads, in its order. Times and durations as milliseconds. */
export const TASK_COLUMNS = `
  t.id, t.status_code, t.status, t.result, t.action, t.body, to_json(t.to_signal_after),
  t.total_dependencies, t.num_signals, t.num_failures, t.num_skipped, t.queue, t.priority,
  date_part('epoch', t.start_after) * 1000, t.num_tries, t.max_tries,
  date_part('epoch', t.retry_delay) * 1000, t.retry_factor,
  date_part('epoch', t.retry_max_delay) * 1000, date_part('epoch', t.max_duration) * 1000,
  t.run_when, t.unique_key, t.notify_channel_after, t.actor_id,
  date_part('epoch', t.action_deadline) * 1000, date_part('epoch', t.created_at) * 1000,
  date_part('epoch', t.started_at) * 1000, date_part('epoch', t.finished_at) * 1000,
  t.retry_jitter, t.limit_key, t.fair_key, date_part('epoch', t.updated_at) * 1000`;

/** The columns that `toAttempt` reads, in its order. */
export const ATTEMPT_COLUMNS = `
  num_try, actor_id, date_part('epoch', started_at) * 1000, date_part('epoch', ended_at) * 1000,
  outcome, status, error`;

/** A row of ATTEMPT_COLUMNS. */
export function toAttempt(row: RawRow): Attempt {
  return {
    numTry: Number(row[0]),
    actorId: row[1] ?? null,
    startedAt: toDate(row[2]),
    endedAt: new Date(Number(row[3])),
    outcome: toText(row[4]) as Attempt['outcome'],
    status: row[5] ?? null,
    error: row[6] ?? null,
  };
}

/** The columns that `toLiveWorker` reads, in its order. */
export const WORKER_COLUMNS = `
  id, actor_id, to_json(queues), to_json(actions), date_part('epoch', started_at) * 1000,
  date_part('epoch', alive_until) * 1000`;

/** A row of WORKER_COLUMNS. */
export function toLiveWorker(row: RawRow): LiveWorker {
  return {
    id: toText(row[0]),
    actorId: toText(row[1]),
    queues: parseTextArray(row[2]),
    actions: parseTextArray(row[3]),
    startedAt: new Date(Number(row[4])),
    aliveUntil: new Date(Number(row[5])),
  };
}

/** queue, action, status_code, count. */
export function toCount(row: RawRow): TaskCount {
  return {
    queue: toText(row[0]),
    action: row[1] ?? null,
    statusCode: toText(row[2]) as StatusCode,
    count: Number(row[3]),
  };
}

/** A row of TASK_COLUMNS. */
export function toTask(row: RawRow): Task {
  return {
    ...toOutcome(row),
    action: row[4] ?? null,
    body: toJson(row[5]),
    toSignalAfter: parseTextArray(row[6]),
    totalDependencies: Number(row[7]),
    numSignals: Number(row[8]),
    numFailures: Number(row[9]),
    numSkipped: Number(row[10]),
    queue: toText(row[11]),
    priority: Number(row[12]),
    startAfter: toDate(row[13]),
    numTries: Number(row[14]),
    maxTries: toNumber(row[15]),
    retry: toRetry(row),
    maxDurationMs: toNumber(row[19]),
    runWhen: toText(row[20]) as RunWhen,
    uniqueKey: row[21] ?? null,
    limitKey: row[29] ?? null,
    fairKey: row[30] ?? null,
    notifyChannelAfter: row[22] ?? null,
    actorId: row[23] ?? null,
    deadline: toDate(row[24]),
    createdAt: new Date(Number(row[25])),
    startedAt: toDate(row[26]),
    finishedAt: toDate(row[27]),
    updatedAt: new Date(Number(row[31])),
  };
}

/** id, status_code, status, result. */
export function toOutcome(row: RawRow): TaskOutcome {
  const statusCode = toText(row[1]) as StatusCode;
  const kept = toJson(row[3]);
  return {
    id: toText(row[0]),
    statusCode,
    status: row[2] ?? null,
    ...(statusCode === 'in-progress' ? withoutProgress(kept) : { result: kept }),
  };
}

/** What report_progress has put around the result is taken off. */
function withoutProgress(kept: Json): Pick<TaskOutcome, 'result' | 'progress'> {
  if (!isReported(kept)) return { result: kept };
  const { '~progress': progress, '~result': result = null } = kept;
  return { result, progress };
}

interface Reported {
  readonly '~progress': Progress;
  readonly '~result'?: Json;
}

function isReported(kept: unknown): kept is Reported {
  return typeof kept === 'object' && kept !== null && '~progress' in kept;
}

/** id, body. */
export function toTaskBody(row: RawRow): TaskBody {
  return { id: toText(row[0]), body: toJson(row[1]) };
}

/** What is the same for most tasks of a claim, so that their rows do not say it. */
export interface UsualClaim {
  /** Of all. */
  readonly token: string;
  readonly queue: string;
  readonly action: string;
  readonly maxDurationMs: number | null;
}

/**
 * The columns of own_tasks that `toOwnedTasks` reads, in its order; times and durations as milliseconds. What is as
 * usual comes as null: UsualClaim's duration, queue and action ($5, $14 and $15), and a first try at priority 0, begun, without a
 * failure. Of most tasks four values are sent and read, not fourteen.
 */
export const CLAIM_COLUMNS = `
  id, body, date_part('epoch', deadline) * 1000, seq, nullif(queue, $14), nullif(action, $15),
  nullif(priority, 0), nullif(num_failures, 0), nullif(num_tries, 1), max_tries,
  date_part('epoch', nullif(max_duration, $5)) * 1000, nullif(is_begun, true), limit_key, slots,
  slots_version`;

/** Rows of CLAIM_COLUMNS. Tasks with the same deadline share its Date, and all share the texts of `usual`. */
export function toOwnedTasks(rows: readonly RawRow[], usual: UsualClaim): OwnedTask[] {
  let deadlineMs: string | null | undefined;
  let deadline: Date | null = null;
  return rows.map((row) => {
    if (row[2] !== deadlineMs) {
      deadlineMs = row[2];
      deadline = toDate(deadlineMs);
    }
    return {
      id: toText(row[0]),
      token: usual.token,
      action: row[5] ?? usual.action,
      body: toJson(row[1]),
      queue: row[4] ?? usual.queue,
      priority: Number(row[6]),
      numSignalledFailures: Number(row[7]),
      numTries: Number(row[8] ?? 1),
      maxTries: toNumber(row[9]),
      deadline,
      maxDurationMs: toNumber(row[10]) ?? usual.maxDurationMs,
      isBegun: row[11] == null,
      slots: row[12] == null || row[13] == null ? null : toSlots(row[12], row),
    };
  });
}

/** limit_key, slots, slots_version. */
function toSlots(key: string, row: RawRow): LimitSlots {
  return { key, count: Number(row[13]), version: Number(row[14]) };
}

/** Sorts rows of CLAIM_COLUMNS by when their tasks became ready. */
export function byReadiness(a: RawRow, b: RawRow): number {
  return Number(a[3]) - Number(b[3]);
}

/**
 * Where rows of CLAIM_COLUMNS stood in the lanes that were named: tasks with a slots_version have lanes of their own. Of rows
 * of one lane and priority that follow one another, the first stands for all: it has the lowest seq.
 */
export function toClaimedPositions(rows: readonly RawRow[], usual: UsualClaim): ClaimedPosition[] {
  return rows.filter(isFirstOfLane).map((row) => ({
    queue: row[4] ?? usual.queue,
    action: row[5] ?? usual.action,
    priority: Number(row[6]),
    seq: Number(row[3]),
  }));
}

function isFirstOfLane(row: RawRow, i: number, rows: readonly RawRow[]): boolean {
  if (row[14] != null) return false;
  const before = rows[i - 1];
  const isAlike = before?.[4] === row[4] && before?.[5] === row[5] && before?.[6] === row[6];
  return before === undefined || before[14] != null || !isAlike;
}

/** id, action, status_code, status, created_at, finished_at. */
export function toRunRow(row: RawRow): RunRow {
  return {
    id: toText(row[0]),
    action: toText(row[1]),
    statusCode: toText(row[2]) as StatusCode,
    status: row[3] ?? null,
    createdAt: new Date(Number(row[4])),
    finishedAt: toDate(row[5]),
  };
}

/** id, action, status_code, status, started_at, finished_at, num_items. */
export function toRunPart(row: RawRow): RunPart {
  return {
    id: toText(row[0]),
    action: row[1] ?? null,
    statusCode: toText(row[2]) as StatusCode,
    status: row[3] ?? null,
    startedAt: toDate(row[4]),
    finishedAt: toDate(row[5]),
    numItems: toNumber(row[6]),
  };
}

/** id, state, status_code, status, result. */
export function toWatchReport(row: RawRow): WatchReport {
  const id = toText(row[0]);
  const state = toText(row[1]) as WatchReport['state'];
  return state === 'ended'
    ? { id, state, outcome: toOutcome([id, ...row.slice(2)]) }
    : { id, state };
}

function toRetry(row: RawRow): Task['retry'] {
  const delayMs = toNumber(row[16]);
  if (delayMs === null) return null;
  const factor = toNumber(row[17]);
  const maxDelayMs = toNumber(row[18]);
  const jitter = toNumber(row[28]);
  return {
    delayMs,
    ...(factor === null ? {} : { factor }),
    ...(maxDelayMs === null ? {} : { maxDelayMs }),
    ...(jitter === null ? {} : { jitter }),
  };
}

function toText(column: string | null | undefined): string {
  return column as string;
}

function toJson(column: string | null | undefined): Json {
  return column == null ? null : (JSON.parse(column) as Json);
}

function toNumber(column: string | null | undefined): number | null {
  return column == null ? null : Number(column);
}

function toDate(column: string | null | undefined): Date | null {
  return column == null ? null : new Date(Number(column));
}

function parseTextArray(column: string | null | undefined): string[] {
  return column == null ? [] : (JSON.parse(column) as string[]);
}
