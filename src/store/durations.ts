import { InvalidOptionError } from '../errors.js';

const MAX_DURATION_MS = 100 * 365.25 * 86_400_000;

/** An interval as Postgres reads it. */
export function toInterval(durationMs: number): string {
  return `${durationMs} milliseconds`;
}

/** InvalidOptionError unless it is more than nothing and at most a hundred years. */
export function checkDuration(option: string, durationMs: number): void {
  if (!(durationMs > 0 && durationMs <= MAX_DURATION_MS)) {
    throw new InvalidOptionError(option, `is ${durationMs}; give milliseconds, more than 0`);
  }
}
