/** Keeps the values used last, as long as their weights together are within a limit. */
export class LruCache<V> {
  readonly #maxWeight: number;
  readonly #values = new Map<string, { readonly value: V; readonly weight: number }>();
  #weight = 0;

  constructor(maxWeight: number) {
    this.#maxWeight = maxWeight;
  }

  get(key: string): V | undefined {
    const entry = this.#values.get(key);
    if (entry === undefined) return undefined;
    // A Map keeps the order of insertion: what is used last goes to the end, once something may have to go.
    if (this.#weight > this.#maxWeight / 2) {
      this.#values.delete(key);
      this.#values.set(key, entry);
    }
    return entry.value;
  }

  set(key: string, value: V, weight: number): void {
    this.#remove(key);
    this.#values.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#values.keys()) {
      if (this.#weight <= this.#maxWeight) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    this.#weight -= this.#values.get(key)?.weight ?? 0;
    this.#values.delete(key);
  }
}
