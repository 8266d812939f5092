/**
 * Natural batching of reads: all that is asked for in one turn of the event loop goes in one call, each id once.
 *
 * A call that fails rejects all that asked in its turn. Nothing is kept from one turn to the next.
 */
export class BatchLoader<T extends { readonly id: string }> {
  readonly #fetch: (ids: readonly string[]) => Promise<readonly T[]>;
  #wanted = new Set<string>();
  #batch: Promise<ReadonlyMap<string, T>> | undefined;

  constructor(fetch: (ids: readonly string[]) => Promise<readonly T[]>) {
    this.#fetch = fetch;
  }

  /** Resolves with at least those of `ids` that exist. */
  load(ids: Iterable<string>): Promise<ReadonlyMap<string, T>> {
    this.#batch ??= this.#nextTurn();
    for (const id of ids) this.#wanted.add(id);
    return this.#batch;
  }

  #nextTurn(): Promise<ReadonlyMap<string, T>> {
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        const ids = [...this.#wanted];
        this.#wanted = new Set();
        this.#batch = undefined;
        this.#fetch(ids).then(
          (found) => resolve(new Map(found.map((one) => [one.id, one]))),
          reject,
        );
      });
    });
  }
}
