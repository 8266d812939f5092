import { HUNDRED_YEARS_MS } from '../column-limits.js';
import { InvalidOptionError } from '../errors.js';

/** An interval as Postgres reads it. */
export function toInterval(durationMs: number): string {
  return `${durationMs} milliseconds`;
}

/** InvalidOptionError unless it is more than nothing and at most a hundred years. */
export function checkDuration(option: string, durationMs: number): void {
  if (!(durationMs > 0 && durationMs <= HUNDRED_YEARS_MS)) {
    throw new InvalidOptionError(option, `is ${durationMs}; give milliseconds, more than 0`);
  }
}
