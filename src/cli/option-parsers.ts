import { InvalidArgumentError } from 'commander';
import type { StatusCode } from '../store/task-store.js';
import { parseDuration } from './duration.js';

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

const ISO_TIME = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** A time in ISO 8601, or how long ago: `90m`, `7d`. InvalidArgumentError. */
export function parseTime(text: string): Date {
  const time = ISO_TIME.test(text) ? new Date(text) : agoOf(text);
  if (time === null || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError(
      'Give a time, such as 2026-05-01T12:00:00Z, or how long ago with its unit, such as 90m or 7d.',
    );
  }
  return time;
}

function agoOf(text: string): Date | null {
  try {
    return new Date(Date.now() - parseDuration(text));
  } catch (error) {
    if (error instanceof InvalidArgumentError) return null;
    throw error;
  }
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
