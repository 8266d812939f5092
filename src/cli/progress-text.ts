import { formatDuration } from './duration.js';

/** How far the work is. */
export interface ProgressCounts {
  readonly done: number;
  readonly failed: number;
  /** `null`: nobody knows. */
  readonly total: number | null;
}

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export function formatCount(count: number): string {
  return WHOLE.format(count);
}

/** `1 task`, `2,000 tasks`. */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `1,204/10,000 tasks  12%  3,400/s  ETA 2.6s  3 failed`; what is not known, or zero, is left out. */
export function formatProgress(counts: ProgressCounts, perSecond: number): string {
  const { done, failed, total } = counts;
  const parts = [
    total === null ? countOf(done, 'task') : `${formatCount(done)}/${formatCount(total)} tasks`,
  ];
  if (total !== null && total > 0) parts.push(`${Math.floor((100 * done) / total)}%`);
  parts.push(`${formatRate(perSecond)}/s`);
  const eta = etaMs(counts, perSecond);
  if (eta !== null) parts.push(`ETA ${formatDuration(eta)}`);
  if (failed > 0) parts.push(`${formatCount(failed)} failed`);
  return parts.join('  ');
}

/** Milliseconds until all is done at this rate; `null` where that cannot be told. */
export function etaMs({ done, total }: ProgressCounts, perSecond: number): number | null {
  if (total === null || perSecond <= 0 || done >= total) return null;
  return ((total - done) / perSecond) * 1_000;
}

/** Whole numbers from 10 up, one decimal below. */
export function formatRate(perSecond: number): string {
  return perSecond >= 10 ? formatCount(perSecond) : perSecond.toFixed(1);
}
