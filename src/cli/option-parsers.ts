import { InvalidArgumentError } from 'commander';
import type { StatusCode } from '../store/task-store.js';

export const STATUS_CODES: readonly StatusCode[] = [
  'pending',
  'in-progress',
  'completed',
  'aborted',
  'skipped',
  'cancelled',
];

/** A whole number from 1 up. InvalidArgumentError. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || !Number.isSafeInteger(count)) {
    throw new InvalidArgumentError('Give a whole number from 1 up.');
  }
  return count;
}

/** A number above 0. InvalidArgumentError. */
export function parseFactor(text: string): number {
  const factor = Number(text);
  if (text.trim() === '' || !(factor > 0) || !Number.isFinite(factor)) {
    throw new InvalidArgumentError('Give a number above 0.');
  }
  return factor;
}

/** For options that may be given several times. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

export function collectStatus(text: string, before: readonly StatusCode[] = []): StatusCode[] {
  const status = STATUS_CODES.find((known) => known === text);
  if (status === undefined)
    throw new InvalidArgumentError(`Give one of ${STATUS_CODES.join(', ')}.`);
  return [...before, status];
}
