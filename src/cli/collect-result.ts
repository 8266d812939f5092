import type { Collected } from '../graph/node.js';

/** A collection of which not all is shown. */
interface CutCollection {
  /** Where it is in the result: `/load`. */
  readonly path: string;
  readonly shown: number;
  readonly total: number;
}

export interface CollectedResult {
  readonly result: unknown;
  readonly cut: readonly CutCollection[];
}

/** The outputs of a run with the results of maps read into arrays, of each at most `limit`. */
export async function collectResult(outputs: unknown, limit: number): Promise<CollectedResult> {
  const cut: CutCollection[] = [];
  const collect = async (value: unknown, path: string): Promise<unknown> => {
    if (typeof value !== 'object' || value === null) return value;
    if (isCollected(value)) {
      const items: unknown[] = [];
      for await (const item of value) {
        if (items.length === limit) break;
        items.push(item);
      }
      if (items.length < value.count) cut.push({ path, shown: items.length, total: value.count });
      return items;
    }
    const entries: [string, unknown][] = [];
    for (const [name, one] of Object.entries(value)) {
      entries.push([name, await collect(one, `${path}/${name}`)]);
    }
    return Array.isArray(value) ? entries.map(([, one]) => one) : Object.fromEntries(entries);
  };
  return { result: await collect(outputs, ''), cut };
}

function isCollected(value: object): value is Collected<unknown> {
  return Symbol.asyncIterator in value && 'count' in value;
}
