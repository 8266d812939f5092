import type { Measurement } from './measure.js';

const NOT_MEASURED = '–';

/** The middle one, or the mean of the two in the middle; NaN of none. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return (low + high) / 2;
}

/**
 * A Markdown table: median, spread, and the ratio of the first contestant's median to each. Who cannot do the
 * scenario has dashes; who does less of it is marked, and below the table it says what.
 */
export function toTable(measurements: readonly Measurement[]): string {
  const reference = median(measurements[0]?.ratesPerSecond ?? []);
  const differences = [...new Set(measurements.flatMap(({ differs }) => differs ?? []))];
  const rows = measurements.map(({ contestant, differs, ratesPerSecond }) => {
    const middle = median(ratesPerSecond);
    const mark = differs === undefined ? '' : ` (${differences.indexOf(differs) + 1})`;
    const spread = `${toRate(Math.min(...ratesPerSecond))} to ${toRate(Math.max(...ratesPerSecond))}`;
    const cells = [toRate(middle), spread, (reference / middle).toFixed(2)];
    const shown = ratesPerSecond.length === 0 ? cells.map(() => NOT_MEASURED) : cells;
    return `| ${[contestant + mark, ...shown].join(' | ')} |`;
  });
  const table = ['| | tasks/s, median | spread | first / this |', '|---|---:|---|---:|', ...rows];
  const notes = differences.map((difference, i) => `(${i + 1}) ${difference}`);
  return [...table, ...(notes.length === 0 ? [] : ['']), ...notes].join('\n');
}

function toRate(rate: number): string {
  return Math.round(rate).toLocaleString('en');
}
