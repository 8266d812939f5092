import type { Setting } from './scenario.js';
import { quantile } from './statistics.js';
import { medianOf, type Target } from './target.js';

/** Records the median and the 99th percentile of milliseconds. */
export function recordLatencies(
  record: Setting['record'],
  options: {
    readonly who: string;
    readonly values: readonly number[];
    readonly note?: string | undefined;
  },
): void {
  const { who, values, note } = options;
  const rest = { who, unit: 'ms', ...(note === undefined ? {} : { note }) };
  record({ ...rest, what: 'p50', value: quantile(values, 0.5) });
  record({ ...rest, what: 'p99', value: quantile(values, 0.99) });
}

/** That signalbox's p50 or p99 takes at most so long. */
export function atMostMs(limit: number, what: 'p50' | 'p99'): Target {
  const value = medianOf({ who: 'signalbox', what });
  return { what: `${what} in ms`, kind: 'at most', limit, value };
}
