import {
  HUNDRED_YEARS_MS,
  MAX_INT2,
  MAX_INT4,
  MAX_LANE_BYTES,
  MICROSECOND_MS,
} from '../column-limits.js';
import type { InvalidGraphError } from './graph-errors.js';
import type { PerformSettings } from './node-definition.js';
import type { FailAfter, NodeRetryPolicy, PerformOptions } from './node-options.js';
import type { AnySchema } from './schema.js';
import { schemaFault } from './validate-value.js';

/** Makes the error of the node that is being added. */
export type Fault = (problem: string) => InvalidGraphError;

/** Unlimited tries would let a run with a bug go on for ever; one alone would let a crashed worker fail it. */
const DEFAULT_MAX_TRIES = 3;

const MAX_FACTOR = 1000;
const RETRY_FIELDS = ['delayMs', 'factor', 'maxDelayMs', 'jitter'];

export const PERFORM_FIELDS: readonly string[] = [
  'retries',
  'maxTries',
  'retry',
  'timeoutMs',
  'priority',
  'queue',
  'limitKey',
  'limit',
] satisfies (keyof PerformOptions)[];

/** An unknown field is most likely a typo, and would otherwise be dropped without a word. */
export function checkFields(value: unknown, fields: readonly string[], fault: Fault): void {
  if (typeof value !== 'object' || value === null) throw fault('its options must be an object');
  for (const name of Object.keys(value)) {
    if (fields.includes(name)) continue;
    throw fault(`${name} is not an option; the options are ${fields.join(', ')}`);
  }
}

/** Fills in what is left out. The fault of the first option that the store would refuse. */
export function performSettings(options: PerformOptions, fault: Fault): PerformSettings {
  const { retry, timeoutMs, priority, queue, limitKey, limit } = options;
  checkNumber('timeoutMs', timeoutMs, MICROSECOND_MS, HUNDRED_YEARS_MS, fault);
  checkInteger('priority', priority, -MAX_INT2 - 1, MAX_INT2, fault);
  checkText('queue', queue, fault);
  checkText('limitKey', limitKey, fault);
  checkInteger('limit', limit, 1, MAX_INT4, fault);
  if (limit !== undefined && limitKey === undefined) throw fault('limit needs a limitKey');
  return Object.freeze({
    maxTries: maxTriesOf(options, fault),
    retry: retry === undefined ? null : checkRetry(retry, fault),
    timeoutMs: timeoutMs ?? null,
    priority: priority ?? null,
    queue: queue ?? null,
    limitKey: limitKey ?? null,
    limit: limit ?? null,
  });
}

function maxTriesOf({ retries, maxTries }: PerformOptions, fault: Fault): number {
  checkInteger('retries', retries, 0, MAX_INT4 - 1, fault);
  checkInteger('maxTries', maxTries, 1, MAX_INT4, fault);
  if (retries === undefined) return maxTries ?? DEFAULT_MAX_TRIES;
  if (maxTries !== undefined) throw fault('retries and maxTries say the same; give one of them');
  return retries + 1;
}

function checkRetry(retry: NodeRetryPolicy, fault: Fault): NodeRetryPolicy {
  checkFields(retry, RETRY_FIELDS, (problem) => fault(`retry: ${problem}`));
  const { delayMs, factor, maxDelayMs, jitter } = retry;
  if (delayMs === undefined) throw fault('retry.delayMs is missing');
  checkNumber('retry.delayMs', delayMs, 0, HUNDRED_YEARS_MS, fault);
  checkNumber('retry.factor', factor, 1, MAX_FACTOR, fault);
  checkNumber('retry.maxDelayMs', maxDelayMs, 0, HUNDRED_YEARS_MS, fault);
  checkNumber('retry.jitter', jitter, 0, 1, fault);
  return Object.freeze({ ...retry });
}

/** The default is the strictest: a map of which an item failed has failed. */
export function failAfterOf(failAfter: FailAfter | undefined, fault: Fault): FailAfter {
  if (failAfter === undefined) return Object.freeze({ count: 1 });
  checkFields(failAfter, ['count', 'ratio'], (problem) => fault(`failAfter: ${problem}`));
  if ('count' in failAfter === 'ratio' in failAfter) {
    throw fault('failAfter must be { count } or { ratio }');
  }
  if ('count' in failAfter) {
    checkInteger('failAfter.count', failAfter.count ?? Number.NaN, 1, MAX_INT4, fault);
  } else {
    const { ratio = Number.NaN } = failAfter;
    checkNumber('failAfter.ratio', ratio, 0, 1, fault);
    if (ratio === 1) throw fault('failAfter.ratio must be below 1: no more than all can fail');
  }
  return Object.freeze({ ...failAfter });
}

export function checkTimeout(timeoutMs: number | undefined, fault: Fault): number | null {
  checkNumber('timeoutMs', timeoutMs, MICROSECOND_MS, HUNDRED_YEARS_MS, fault);
  return timeoutMs ?? null;
}

export function checkConcurrency(concurrency: number | undefined, fault: Fault): number | null {
  checkInteger('concurrency', concurrency, 1, MAX_INT4, fault);
  return concurrency ?? null;
}

export function checkVersion(version: number, fault: Fault): void {
  checkInteger('version', version, 1, MAX_INT4, fault);
}

export function checkSleepTime(time: unknown, fault: Fault): void {
  if (typeof time === 'function') return;
  if (typeof time !== 'number') throw fault('the time must be milliseconds or a function');
  checkNumber('the time', time, 0, HUNDRED_YEARS_MS, fault);
}

export function checkSchema(
  name: string,
  schema: AnySchema | undefined,
  fault: Fault,
): AnySchema | null {
  if (schema === undefined) return null;
  const problem = schemaFault(schema);
  if (problem !== null) throw fault(`${name} ${problem}`);
  return schema;
}

export function checkFunction(name: string, value: unknown, fault: Fault): void {
  if (value === undefined || typeof value === 'function') return;
  throw fault(`${name} must be a function, not ${shown(value)}`);
}

export function checkText(name: string, value: unknown, fault: Fault): void {
  if (value === undefined) return;
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) {
    if (Buffer.byteLength(value) <= MAX_LANE_BYTES) return;
  }
  throw fault(`${name} must be a string of 1 to ${MAX_LANE_BYTES} bytes, not ${shown(value)}`);
}

function checkInteger(name: string, value: unknown, min: number, max: number, fault: Fault): void {
  if (value === undefined) return;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return;
  throw fault(`${name} must be an integer from ${min} to ${max}, not ${shown(value)}`);
}

function checkNumber(name: string, value: unknown, min: number, max: number, fault: Fault): void {
  if (value === undefined) return;
  if (typeof value === 'number' && value >= min && value <= max) return;
  throw fault(`${name} must be a number from ${min} to ${max}, not ${shown(value)}`);
}

const SHOWN_CHARACTERS = 40;

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, SHOWN_CHARACTERS));
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
