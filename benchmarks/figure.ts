import { median } from './statistics.js';

/** One thing measured in one round. */
export interface Sample {
  /** A contestant, or the circumstances: `signalbox`, `16 processes`. */
  readonly who: string;
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  /** In what less was asked of this one than of the others. */
  readonly note?: string;
}

/** The same thing over all rounds that count. */
export interface Figure extends Omit<Sample, 'value'> {
  readonly rounds: readonly number[];
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Samples of the same `who` and `what` become one figure; figures stand in the order of their first samples. */
export function toFigures(samples: readonly Sample[]): Figure[] {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = JSON.stringify([sample.who, sample.what]);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first ? [toFigure(first, group)] : [];
  });
}

function toFigure({ value: _, ...first }: Sample, group: readonly Sample[]): Figure {
  const rounds = group.map(({ value }) => value);
  return {
    ...first,
    rounds,
    median: median(rounds),
    min: Math.min(...rounds),
    max: Math.max(...rounds),
  };
}
