import type { Figure } from './figure.js';

/** What a scenario must reach. */
export interface Target {
  readonly what: string;
  readonly kind: 'at least' | 'at most';
  readonly limit: number;
  /** The value to compare, of the medians of one run; undefined: it was not measured in this one. */
  readonly value: (figures: readonly Figure[]) => number | undefined;
}

/** How a run stands to a target. Null: not measured, for instance without the peers. */
export interface Verdict extends Omit<Target, 'value'> {
  readonly value: number | null;
  readonly reached: boolean | null;
}

/** Names a figure; peers are matched by pattern, since their names end with a version. */
export interface Pick {
  readonly who: string | RegExp;
  readonly what: string;
}

export function judge({ value: read, ...target }: Target, figures: readonly Figure[]): Verdict {
  const value = read(figures);
  if (value === undefined || Number.isNaN(value)) return { ...target, value: null, reached: null };
  const reached = target.kind === 'at least' ? value >= target.limit : value <= target.limit;
  return { ...target, value, reached };
}

function find(figures: readonly Figure[], { who, what }: Pick): Figure | undefined {
  return figures.find(
    (figure) =>
      figure.what === what && (typeof who === 'string' ? figure.who === who : who.test(figure.who)),
  );
}

/** The median of one figure. */
export function medianOf(pick: Pick): Target['value'] {
  return (figures) => find(figures, pick)?.median;
}

/** One median divided by another of the same run. */
export function ratioOf(above: Pick, below: Pick): Target['value'] {
  return (figures) => {
    const [a, b] = [find(figures, above), find(figures, below)];
    return a && b ? a.median / b.median : undefined;
  };
}
