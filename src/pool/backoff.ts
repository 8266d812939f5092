import { inspect } from 'node:util';
import { InvalidOptionError } from '../errors.js';

/** How long to stay away after a failed attempt: the fields, and their meaning, of a task's RetryPolicy. */
export interface BackoffPolicy {
  /** Milliseconds after the first attempt. */
  readonly delayMs: number;
  /** Each further delay is this many times the one before, 1 or more. Default 1: constant. */
  readonly factor?: number | undefined;
  /** No delay is longer than this, jitter included. Default: 100 years. */
  readonly maxDelayMs?: number | undefined;
  /** Each delay is varied at random by up to this part of it, 0 to 1, either way. Default 0. */
  readonly jitter?: number | undefined;
}

/** As in SQL's retry_delay(), so that a policy means the same wherever it is carried out. */
const LONGEST_DELAY_MS = 3_155_760_000_000;
const MAX_EXPONENT = 60;

/**
 * Milliseconds to wait after attempt `attempt`, which failed; the first is 1.
 *
 * `random` gives numbers from 0 up to 1, as Math.random. The policy is taken to be valid: see checkBackoff.
 */
export function backoffMs(policy: BackoffPolicy, attempt: number, random: () => number): number {
  const { delayMs, factor = 1, maxDelayMs = LONGEST_DELAY_MS, jitter = 0 } = policy;
  const longestMs = Math.min(maxDelayMs, LONGEST_DELAY_MS);
  const exponent = Math.min(Math.max(attempt, 1) - 1, MAX_EXPONENT);
  // Capped before it is varied as well: else every delay that grew past the limit would be exactly the limit.
  const plainMs = delayMs === 0 ? 0 : Math.min(delayMs * factor ** exponent, longestMs);
  if (jitter === 0) return plainMs;
  return Math.min(plainMs * (1 + jitter * (2 * random() - 1)), longestMs);
}

/** InvalidOptionError, with `option` in its name, for a policy that cannot be carried out. */
export function checkBackoff(option: string, policy: BackoffPolicy): void {
  const { delayMs, factor = 1, maxDelayMs = 0, jitter = 0 } = policy;
  const check = (field: string, value: number, isValid: boolean, wanted: string): void => {
    if (!isValid) {
      throw new InvalidOptionError(`${option}.${field}`, `is ${inspect(value)}; give ${wanted}`);
    }
  };
  check('delayMs', delayMs, isAtLeast(delayMs, 0), 'milliseconds, 0 or more');
  check('factor', factor, isAtLeast(factor, 1), 'a number, 1 or more');
  check('maxDelayMs', maxDelayMs, isAtLeast(maxDelayMs, 0), 'milliseconds, 0 or more');
  check('jitter', jitter, isAtLeast(jitter, 0) && jitter <= 1, 'a number from 0 to 1');
}

function isAtLeast(value: unknown, least: number): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= least;
}
