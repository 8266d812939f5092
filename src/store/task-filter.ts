import { InvalidOptionError } from '../errors.js';
import { endOfPrefix } from './id-range.js';
import { readStatusCode } from './status-code.js';
import type { StatusCode, TaskFilter } from './task-store.js';

/** A filter as the verbs of sql/functions take it; null: any. */
export interface SqlFilter {
  /** Of the ids: the first that fits, and the first after all that do. */
  readonly from: string;
  readonly end: string | null;
  /** Actions, queues, status codes, updated since, updated before, ended before. */
  readonly conditions: readonly unknown[];
}

const TIMES = ['updatedSince', 'updatedBefore', 'endedBefore'] as const;

/** InvalidStatusError, InvalidOptionError. */
export function toSqlFilter(filter: TaskFilter): SqlFilter {
  const { idPrefix = '', actions = null, queues = null, statusCodes } = filter;
  return {
    ...toIdRange(idPrefix),
    conditions: [
      actions,
      queues,
      toCodes(statusCodes),
      ...TIMES.map((name) => toTime(filter, name)),
    ],
  };
}

/** The ids that begin with a text. */
export function toIdRange(idPrefix: string): Pick<SqlFilter, 'from' | 'end'> {
  return { from: idPrefix, end: endOfPrefix(idPrefix) };
}

export function toCodes(statusCodes: readonly StatusCode[] | undefined): StatusCode[] | null {
  return statusCodes?.map(readStatusCode) ?? null;
}

function toTime(filter: TaskFilter, name: (typeof TIMES)[number]): Date | null {
  const time = filter[name];
  if (time === undefined) return null;
  if (time instanceof Date && !Number.isNaN(time.getTime())) return time;
  throw new InvalidOptionError(name, `is ${String(time)}; give a valid Date`);
}
