import { InvalidStatusError } from '../errors.js';
import type { StatusCode, TaskReturnOutcome } from './task-store.js';

const STATUS_CODES: readonly StatusCode[] = [
  'pending',
  'in-progress',
  'completed',
  'aborted',
  'skipped',
  'cancelled',
];
const RETURN_CODES: readonly TaskReturnOutcome['statusCode'][] = [
  'completed',
  'aborted',
  'skipped',
  'pending',
];

/** A skipped task is none: a clean-up that was not needed is skipped, and where a failure skips tasks, it counts itself. */
export const FAILURES: readonly StatusCode[] = ['aborted', 'cancelled'];

export function isFailure({ statusCode }: { readonly statusCode: StatusCode }): boolean {
  return FAILURES.includes(statusCode);
}

/** The status code that a text means, in any letter case. InvalidStatusError. */
export function readStatusCode(value: unknown): StatusCode {
  return readOneOf(STATUS_CODES, value);
}

/** The same for those that a task can be returned with. */
export function readReturnCode(value: unknown): TaskReturnOutcome['statusCode'] {
  return readOneOf(RETURN_CODES, value);
}

function readOneOf<Code extends string>(codes: readonly Code[], value: unknown): Code {
  const lowerCase = typeof value === 'string' ? value.toLowerCase() : undefined;
  const found = codes.find((code) => code === lowerCase);
  if (found !== undefined) return found;
  const expected = `one of ${codes.join(', ')}`;
  throw new InvalidStatusError(value, lowerCase === undefined ? `text: ${expected}` : expected);
}
