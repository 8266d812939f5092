import { inspect } from 'node:util';
import { InvalidOptionError } from '../errors.js';
import { type BackoffPolicy, checkBackoff } from './backoff.js';

/** How a pool is to treat one task. Durations in milliseconds. */
export interface PoolTaskOptions {
  /** Attempts after the first that failed; Infinity: until one succeeds. PermanentError ends them at once. Default 0. */
  readonly retries?: number | undefined;
  /** How long to wait before each; a function gets the number of the attempt that failed. Default: 100 ms, doubling up to a minute. */
  readonly backoff?: BackoffPolicy | ((attempt: number) => number) | undefined;
  /** An attempt that takes longer has failed: its signal fires, its worker is free. Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /** What the PoolTaskError is to begin with; an Error also becomes its cause. Default `'The task failed'`. */
  readonly error?: string | Error | undefined;
  /** The first attempt begins no sooner. Default, and if past: at once. */
  readonly startAfter?: Date | undefined;
  /** Cancels the task, wherever it stands; also one that is still blocked in queue(). */
  readonly signal?: AbortSignal | undefined;
}

/** The options with the defaults filled in. */
export interface FullPoolTaskOptions {
  readonly retries: number;
  readonly backoff: BackoffPolicy | ((attempt: number) => number);
  readonly timeoutMs: number;
  readonly error: string | Error;
  readonly startAfter: Date | undefined;
  readonly signal: AbortSignal | undefined;
}

const DEFAULTS = Object.freeze({
  retries: 0,
  backoff: Object.freeze({ delayMs: 100, factor: 2, maxDelayMs: 60_000 }),
  timeoutMs: Number.POSITIVE_INFINITY,
  error: 'The task failed',
});

/** Fills in the defaults. InvalidOptionError for the first option that cannot be kept to. */
export function fullPoolTaskOptions(given: PoolTaskOptions): FullPoolTaskOptions {
  const options = {
    retries: given.retries ?? DEFAULTS.retries,
    backoff: given.backoff ?? DEFAULTS.backoff,
    timeoutMs: given.timeoutMs ?? DEFAULTS.timeoutMs,
    error: given.error ?? DEFAULTS.error,
    startAfter: given.startAfter,
    signal: given.signal,
  };
  checkTries(options);
  checkLimits(options);
  return options;
}

function checkTries({ retries, backoff, error }: FullPoolTaskOptions): void {
  if (retries !== Number.POSITIVE_INFINITY && !isCount(retries)) {
    fail('retries', retries, 'a whole number from 0 up, or Infinity');
  }
  if (typeof backoff === 'object') checkBackoff('backoff', backoff);
  else if (typeof backoff !== 'function') {
    fail('backoff', backoff, '{ delayMs, factor?, maxDelayMs?, jitter? } or a function');
  }
  if (typeof error !== 'string' && !(error instanceof Error)) {
    fail('error', error, 'a string or an Error');
  }
}

function checkLimits({ timeoutMs, startAfter, signal }: FullPoolTaskOptions): void {
  if (!(timeoutMs > 0)) fail('timeoutMs', timeoutMs, 'milliseconds, more than 0');
  if (startAfter !== undefined && !isDate(startAfter)) {
    fail('startAfter', startAfter, 'a valid Date');
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    fail('signal', signal, 'the signal of an AbortController');
  }
}

/** The delay as a function gave it. InvalidOptionError unless a timer can keep to it. */
export function checkedDelayMs(delayMs: number): number {
  if (!(Number.isFinite(delayMs) && delayMs >= 0)) {
    fail('backoff()', delayMs, 'milliseconds, 0 or more');
  }
  return delayMs;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

function isDate(value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime());
}

function fail(option: string, value: unknown, wanted: string): never {
  throw new InvalidOptionError(option, `is ${inspect(value)}; give ${wanted}`);
}
