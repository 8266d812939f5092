import type { RawRow } from './database.js';
import type { ScheduleLogic, ScheduleRecord, ScheduleRule } from './schedule-store.js';

/** A rule as JSON: its `from` is a text. */
type StoredRule = ({ cron: string; timeZone: string } | { everyMs: number }) & { from?: string };

/** The columns that `toScheduleRow` reads, in its order, of a row `s`. Times as milliseconds. */
export const SCHEDULE_COLUMNS = `
  s.name, s.rule, s.task, s.catch_up, s.may_overlap, s.is_paused,
  date_part('epoch', s.next_due) * 1000, date_part('epoch', s.last_due) * 1000, s.last_task_id,
  s.num_fired, s.num_skipped, s.last_error,
  date_part('epoch', s.created_at) * 1000, date_part('epoch', s.updated_at) * 1000`;

/** A row of SCHEDULE_COLUMNS; its `nextDue` is kept while it is paused. */
export function toScheduleRow(row: RawRow): ScheduleRecord {
  return {
    name: row[0] ?? '',
    rule: toRule(row[1] ?? ''),
    task: JSON.parse(row[2] ?? ''),
    catchUp: JSON.parse(row[3] ?? ''),
    mayOverlap: row[4] === 't',
    isPaused: row[5] === 't',
    nextDue: toDate(row[6]),
    lastDue: toDate(row[7]),
    lastTaskId: row[8] ?? null,
    numFired: Number(row[9]),
    numSkipped: Number(row[10]),
    lastError: row[11] ?? null,
    createdAt: new Date(Number(row[12])),
    updatedAt: new Date(Number(row[13])),
  };
}

/** `count` due times from `nextDue` on. */
export function timesFrom(
  logic: ScheduleLogic,
  { rule, nextDue }: { rule: ScheduleRule; nextDue: Date | null },
  count: number,
): Date[] {
  const times: Date[] = [];
  for (let due = nextDue; due && times.length < count; due = logic.nextAfter(rule, due)) {
    times.push(due);
  }
  return times;
}

function toRule(text: string): ScheduleRule {
  const { from, ...rule }: StoredRule = JSON.parse(text);
  return from === undefined ? rule : { ...rule, from: new Date(from) };
}

function toDate(column: string | null | undefined): Date | null {
  return column == null ? null : new Date(Number(column));
}
