import { types } from 'node:util';
import {
  HUNDRED_YEARS_MS,
  MAX_ID_BYTES,
  MAX_INT2,
  MAX_INT4,
  MAX_LANE_BYTES,
  MICROSECOND_MS,
} from '../column-limits.js';
import { InvalidTaskError } from '../errors.js';
import type { TaskInput } from './task-store.js';

/** Postgres' limit for the name of a channel. */
const MAX_CHANNEL_BYTES = 63;

/** Postgres' timestamps begin on this day; they end later than those of Date. */
const FIRST_TIMESTAMP_MS = Date.UTC(-4712, 0, 1);

const RUN_WHEN: ReadonlySet<unknown> = new Set([
  'all_done',
  'all_succeeded',
  'any_failed',
  'any_succeeded',
] satisfies TaskInput['runWhen'][]);

const TASK_FIELDS: ReadonlySet<string> = new Set([
  'id',
  'action',
  'body',
  'toSignalAfter',
  'totalDependencies',
  'queue',
  'priority',
  'startAfter',
  'maxTries',
  'retry',
  'maxDurationMs',
  'runWhen',
  'uniqueKey',
  'uniqueUntil',
  'uniqueForMs',
  'limitKey',
  'limit',
  'rateLimit',
  'fairKey',
  'notifyChannelAfter',
] satisfies (keyof TaskInput)[]);

const UNIQUE_UNTIL: ReadonlySet<unknown> = new Set(['finished', 'started']);
const RATE_FIELDS: ReadonlySet<string> = new Set(['count', 'intervalMs']);
const RETRY_FIELDS: ReadonlySet<string> = new Set(['delayMs', 'factor', 'maxDelayMs', 'jitter']);

/**
 * Throws InvalidTaskError for the first field that Postgres would refuse, or keep as something else.
 *
 * `ordinal` is the task's place in the batch, counted from 0: the error's id is `#<ordinal>` where the task has no
 * valid id. The body is not looked at: see body-text.ts.
 */
export function validateTask(task: TaskInput, ordinal: number): void {
  checkIsNamed(task, ordinal, 'task');
  checkFieldNames(task.id, '', task, TASK_FIELDS);
  if (task.action !== null) checkText(task.id, 'action', task.action, MAX_LANE_BYTES);
  if (task.toSignalAfter !== undefined) checkTargets(task.id, task.toSignalAfter);
  checkLane(task);
  checkTries(task);
  checkUniqueness(task);
  checkKeys(task);
  checkOptionalText(task.id, 'notifyChannelAfter', task.notifyChannelAfter, MAX_CHANNEL_BYTES);
}

/** Throws InvalidTaskError, under the name `#<ordinal>`, unless it is an object with a valid id. */
export function checkIsNamed(task: { id: string }, ordinal: number, what: string): void {
  if (typeof task !== 'object' || task === null) {
    throw new InvalidTaskError(`#${ordinal}`, what, `must be an object, not ${shown(task)}`);
  }
  const fault = textFault(task.id, MAX_ID_BYTES);
  if (fault !== null) throw new InvalidTaskError(`#${ordinal}`, 'id', fault);
}

function checkLane(task: TaskInput): void {
  checkOptionalText(task.id, 'queue', task.queue, MAX_LANE_BYTES);
  checkPriority(task.id, task.priority);
  checkInteger(task.id, 'totalDependencies', task.totalDependencies, 0, MAX_INT4);
  if (task.startAfter !== undefined) checkTime(task.id, 'startAfter', task.startAfter);
  if (task.runWhen !== undefined && !RUN_WHEN.has(task.runWhen)) {
    const allowed = [...RUN_WHEN].join(', ');
    throw invalid(task.id, 'runWhen', `must be one of ${allowed}`, task.runWhen);
  }
}

function checkTries(task: TaskInput): void {
  checkInteger(task.id, 'maxTries', task.maxTries, 1, MAX_INT4);
  checkNumber(task.id, 'maxDurationMs', task.maxDurationMs, MICROSECOND_MS, HUNDRED_YEARS_MS);
  const { retry } = task;
  if (retry === undefined) return;
  if (typeof retry !== 'object' || retry === null) {
    throw invalid(
      task.id,
      'retry',
      'must be an object { delayMs, factor?, maxDelayMs?, jitter? }',
      retry,
    );
  }
  checkFieldNames(task.id, 'retry.', retry, RETRY_FIELDS);
  if (retry.delayMs === undefined) {
    throw invalid(task.id, 'retry.delayMs', 'must be a number', undefined);
  }
  checkNumber(task.id, 'retry.delayMs', retry.delayMs, 0, HUNDRED_YEARS_MS);
  checkNumber(task.id, 'retry.factor', retry.factor, 1, 1000);
  checkNumber(task.id, 'retry.maxDelayMs', retry.maxDelayMs, 0, HUNDRED_YEARS_MS);
  checkNumber(task.id, 'retry.jitter', retry.jitter, 0, 1);
}

function checkUniqueness({ id, uniqueKey, uniqueUntil, uniqueForMs }: TaskInput): void {
  checkOptionalText(id, 'uniqueKey', uniqueKey, MAX_ID_BYTES);
  checkNumber(id, 'uniqueForMs', uniqueForMs, 0, HUNDRED_YEARS_MS);
  if (uniqueUntil !== undefined && !UNIQUE_UNTIL.has(uniqueUntil)) {
    throw invalid(id, 'uniqueUntil', "must be 'finished' or 'started'", uniqueUntil);
  }
  if (uniqueKey === undefined && (uniqueUntil ?? uniqueForMs) !== undefined) {
    throw new InvalidTaskError(id, 'uniqueKey', 'is missing; uniqueUntil and uniqueForMs need one');
  }
}

function checkKeys({ id, limitKey, limit, rateLimit, fairKey }: TaskInput): void {
  checkOptionalText(id, 'limitKey', limitKey, MAX_LANE_BYTES);
  checkOptionalText(id, 'fairKey', fairKey, MAX_LANE_BYTES);
  if (limitKey === undefined && (limit ?? rateLimit) !== undefined) {
    throw new InvalidTaskError(id, 'limitKey', 'is missing; limit and rateLimit need one');
  }
  checkInteger(id, 'limit', limit, 1, MAX_INT4);
  if (rateLimit === undefined) return;
  if (typeof rateLimit !== 'object' || rateLimit === null) {
    throw invalid(id, 'rateLimit', 'must be an object { count, intervalMs }', rateLimit);
  }
  checkFieldNames(id, 'rateLimit.', rateLimit, RATE_FIELDS);
  checkInteger(id, 'rateLimit.count', rateLimit.count ?? Number.NaN, 1, MAX_INT4);
  const { intervalMs = Number.NaN } = rateLimit;
  checkNumber(id, 'rateLimit.intervalMs', intervalMs, MICROSECOND_MS, HUNDRED_YEARS_MS);
}

/** An unknown field is most likely a typo, and would otherwise be dropped without a word. */
export function checkFieldNames(
  id: string,
  path: string,
  value: object,
  fields: ReadonlySet<string>,
): void {
  for (const name in value) {
    if (fields.has(name)) continue;
    const known = [...fields].join(', ');
    throw new InvalidTaskError(id, path + name, `is not a field; the fields are ${known}`);
  }
}

function checkTargets(id: string, targets: readonly string[]): void {
  if (!Array.isArray(targets)) {
    throw invalid(id, 'toSignalAfter', 'must be an array of ids', targets);
  }
  for (let i = 0; i < targets.length; i++) {
    const fault = textFault(targets[i], MAX_ID_BYTES);
    if (fault !== null) throw new InvalidTaskError(id, 'toSignalAfter', `[${i}] ${fault}`);
  }
}

function checkOptionalText(id: string, field: string, value: unknown, maxBytes: number): void {
  if (value !== undefined) checkText(id, field, value, maxBytes);
}

function checkText(id: string, field: string, value: unknown, maxBytes: number): void {
  const fault = textFault(value, maxBytes);
  if (fault !== null) throw new InvalidTaskError(id, field, fault);
}

const SUSPICIOUS = /[\0\ud800-\udfff]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** What is wrong with a text, or null. The three quick tests in front let nearly every text through. */
function textFault(value: unknown, maxBytes: number): string | null {
  if (typeof value !== 'string') return `must be a string, not ${shown(value)}`;
  if (value.length > 0 && value.length * 3 <= maxBytes && !SUSPICIOUS.test(value)) return null;
  if (value.length === 0) return 'must not be empty';
  const bytes = Buffer.byteLength(value);
  if (bytes > maxBytes) {
    return `must have at most ${maxBytes} bytes in UTF-8, not ${bytes}: ${shown(value)}`;
  }
  if (value.includes('\0')) return `must not hold \\u0000, which Postgres cannot store`;
  if (LONE_SURROGATE.test(value)) {
    return `must not hold half a surrogate pair, which UTF-8 cannot express: ${shown(value)}`;
  }
  return null;
}

function checkInteger(id: string, field: string, value: unknown, min: number, max: number): void {
  if (value === undefined) return;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return;
  throw invalid(id, field, `must be an integer from ${min} to ${max}`, value);
}

function checkNumber(id: string, field: string, value: unknown, min: number, max: number): void {
  if (value === undefined) return;
  if (typeof value === 'number' && value >= min && value <= max) return;
  throw invalid(id, field, `must be a number from ${min} to ${max}`, value);
}

/** InvalidTaskError unless it is a delay of at most a hundred years. */
export function checkDelay(id: string, field: string, value: unknown): void {
  checkNumber(id, field, value, 0, HUNDRED_YEARS_MS);
}

export function checkPriority(id: string, value: unknown): void {
  checkInteger(id, 'priority', value, -MAX_INT2 - 1, MAX_INT2);
}

export function checkTime(id: string, field: string, value: unknown): void {
  if (types.isDate(value) && value.getTime() >= FIRST_TIMESTAMP_MS) return;
  throw invalid(id, field, 'must be a valid Date, not before 4713 BC', value);
}

function invalid(id: string, field: string, rule: string, value: unknown): InvalidTaskError {
  return new InvalidTaskError(id, field, `${rule}, not ${shown(value)}`);
}

const SHOWN_CHARACTERS = 40;

function shown(value: unknown): string {
  if (typeof value === 'string') {
    const start = JSON.stringify(value.slice(0, SHOWN_CHARACTERS));
    return value.length > SHOWN_CHARACTERS ? `${start}...` : start;
  }
  if (types.isDate(value)) return 'an invalid Date or one out of range';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
