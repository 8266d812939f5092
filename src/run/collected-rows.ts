import type { Collected } from '../graph/node.js';
import type { Json, TaskOutcome, TaskStore } from '../store/task-store.js';

/** What stands for the results of a map in the result of a run. */
export interface CollectedRef {
  /** The id of the map's join. */
  readonly '~collected': string;
  /** Items. */
  readonly total: number;
  /** Those that completed. */
  readonly count: number;
}

const PAGE_SIZE = 500;

/** The results of a map, read a page of rows at a time: the rows of its items are the only place where they are. */
export class CollectedRows implements Collected<unknown> {
  readonly count: number;
  readonly #store: Pick<TaskStore, 'getOutcomes'>;
  readonly #id: string;
  readonly #total: number;

  constructor(
    store: Pick<TaskStore, 'getOutcomes'>,
    { '~collected': id, total, count }: CollectedRef,
  ) {
    this.#store = store;
    this.#id = id;
    this.#total = total;
    this.count = count;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, void> {
    for await (const { statusCode, result } of itemOutcomes(this.#store, this.#id, this.#total)) {
      if (statusCode === 'completed') yield result ?? undefined;
    }
  }

  async all(): Promise<unknown[]> {
    const all: unknown[] = [];
    for await (const one of this) all.push(one);
    return all;
  }

  toJSON(): CollectedRef {
    return { '~collected': this.#id, total: this.#total, count: this.count };
  }
}

/** The outcomes of a map's items in the order of the items: ids are computed, so that 10 does not come before 9. */
export async function* itemOutcomes(
  store: Pick<TaskStore, 'getOutcomes'>,
  join: string,
  total: number,
  options: { results?: boolean } = {},
): AsyncGenerator<TaskOutcome, void> {
  for (let from = 0; from < total; from += PAGE_SIZE) {
    const length = Math.min(PAGE_SIZE, total - from);
    const ids = Array.from({ length }, (_, i) => `${join}/${from + i}`);
    const found = new Map((await store.getOutcomes(ids, options)).map((one) => [one.id, one]));
    for (const id of ids) {
      const outcome = found.get(id);
      if (outcome) yield outcome;
    }
  }
}

/** The result of a run, with the results of maps in it readable again. */
export function withCollected(store: Pick<TaskStore, 'getOutcomes'>, value: Json): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isArray(value)) return value.map((one) => withCollected(store, one));
  if (isRef(value)) return new CollectedRows(store, value);
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, withCollected(store, one)]),
  );
}

/** Array.isArray makes `any[]` of a readonly array. */
function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isRef(value: object): value is CollectedRef {
  return '~collected' in value && 'total' in value && 'count' in value;
}
