interface Place<T> {
  readonly item: T;
  before: Place<T> | undefined;
  after: Place<T> | undefined;
}

/**
 * First in, first out, and anyone may leave from the middle, all at constant cost.
 *
 * Not an array, where leaving costs the length. Not a Set either: reading one from its front passes over those
 * that left, and emptying 100,000 that way took 1.5 s.
 */
export class Line<T extends object> {
  readonly #places = new Map<T, Place<T>>();
  #first: Place<T> | undefined;
  #last: Place<T> | undefined;

  get size(): number {
    return this.#places.size;
  }

  get first(): T | undefined {
    return this.#first?.item;
  }

  /** To the end of the line; who is in it already keeps their place. */
  push(item: T): void {
    if (this.#places.has(item)) return;
    const place: Place<T> = { item, before: this.#last, after: undefined };
    this.#places.set(item, place);
    if (this.#last) this.#last.after = place;
    else this.#first = place;
    this.#last = place;
  }

  shift(): T | undefined {
    const { first } = this;
    if (first) this.remove(first);
    return first;
  }

  /** Does nothing when it is not in the line. */
  remove(item: T): void {
    const place = this.#places.get(item);
    if (!place) return;
    this.#places.delete(item);
    if (place.before) place.before.after = place.after;
    else this.#first = place.after;
    if (place.after) place.after.before = place.before;
    else this.#last = place.before;
  }

  *[Symbol.iterator](): Generator<T, void> {
    for (let place = this.#first; place; place = place.after) yield place.item;
  }
}
