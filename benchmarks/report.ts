import type { Figure } from './figure.js';
import type { Result } from './result.js';
import type { Verdict } from './target.js';

/** What was found, for a terminal and for Markdown alike: the figures as tables, the targets as lines. */
export function toReport(result: Result): string {
  const { scenario, what, size, unit, rounds, isQuick, figures, targets } = result;
  const circumstances = `${size.toLocaleString('en')} ${unit}, ${rounds} round${rounds === 1 ? '' : 's'}`;
  const tables = [...new Set(figures.map((figure) => figure.what))].map((one) =>
    toTable(figures.filter((figure) => figure.what === one)),
  );
  const verdicts = targets.map((verdict) => `- ${toVerdictLine(verdict)}`);
  return [
    `${scenario}: ${what} (${circumstances})`,
    ...mergeSingles(tables),
    ...(verdicts.length === 0 ? ['no target'] : [verdicts.join('\n')]),
    ...(isQuick ? ['A quick run: it shows that the scenario works, and decides nothing.'] : []),
  ].join('\n\n');
}

/** `HOT share of the updates: 0.9981, at least 0.99: reached`. */
export function toVerdictLine({ what, kind, limit, value, reached }: Verdict): string {
  const word = reached === null ? 'not measured' : reached ? 'reached' : 'NOT REACHED';
  const figure = value === null ? '–' : toText(value);
  return `${what}: ${figure}, ${kind} ${toText(limit)}: ${word}`;
}

interface Table {
  readonly head: string;
  readonly rows: readonly string[];
  readonly notes: readonly string[];
}

/** One thing measured: a row for each who, with the ratio of the first one's median to its own. */
function toTable(figures: readonly Figure[]): Table {
  const [first] = figures;
  const notes = [...new Set(figures.flatMap(({ note }) => note ?? []))];
  const rows = figures.map(({ who, note, median, min, max, rounds }) => {
    const mark = note === undefined ? '' : ` (${notes.indexOf(note) + 1})`;
    const spread = rounds.length === 1 ? '' : `${toText(min)} to ${toText(max)}`;
    const ratio = ((first?.median ?? Number.NaN) / median).toFixed(2);
    return { who: who + mark, cells: [toText(median), spread, ratio] };
  });
  const { what = '', unit = '' } = first ?? {};
  const label = unit === '' ? what : `${what}, ${unit}`;
  if (rows.length === 1) {
    const [row] = rows;
    return {
      head: '| | | median | spread |\n|---|---|---:|---|',
      rows: [`| ${[row?.who, label, ...(row?.cells.slice(0, 2) ?? [])].join(' | ')} |`],
      notes: toNotes(notes),
    };
  }
  return {
    head: `| | ${label}, median | spread | first / this |\n|---|---:|---|---:|`,
    rows: rows.map(({ who, cells }) => `| ${[who, ...cells].join(' | ')} |`),
    notes: toNotes(notes),
  };
}

function toNotes(notes: readonly string[]): string[] {
  return notes.map((note, i) => `(${i + 1}) ${note}`);
}

/** Neighbours with the same head become one table. */
function mergeSingles(tables: readonly Table[]): string[] {
  const merged: Table[] = [];
  for (const table of tables) {
    const last = merged.at(-1);
    if (last?.head !== table.head) merged.push(table);
    else merged[merged.length - 1] = { ...last, rows: [...last.rows, ...table.rows] };
  }
  return merged.map(({ head, rows, notes }) =>
    [head, ...rows, ...(notes.length === 0 ? [] : ['', ...notes])].join('\n'),
  );
}

/** Whole above 100; else four digits that count. */
function toText(value: number): string {
  if (Math.abs(value) >= 100 || Number.isInteger(value))
    return Math.round(value).toLocaleString('en');
  return value.toLocaleString('en', { maximumSignificantDigits: 4 });
}
