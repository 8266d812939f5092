import type { Measurement } from './measure.js';

/** The middle one, or the mean of the two in the middle. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return (low + high) / 2;
}

/** A Markdown table: median, spread, and the ratio of the first contestant's median to each. */
export function toTable(measurements: readonly Measurement[]): string {
  const reference = median(measurements[0]?.ratesPerSecond ?? []);
  const rows = measurements.map(({ contestant, ratesPerSecond }) => {
    const middle = median(ratesPerSecond);
    const spread = `${round(Math.min(...ratesPerSecond))} to ${round(Math.max(...ratesPerSecond))}`;
    return `| ${contestant} | ${round(middle)} | ${spread} | ${(reference / middle).toFixed(2)} |`;
  });
  return ['| | tasks/s, median | spread | first / this |', '|---|---:|---|---:|', ...rows].join(
    '\n',
  );
}

function round(rate: number): string {
  return Math.round(rate).toLocaleString('en');
}
