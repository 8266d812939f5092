const INITIAL_CAPACITY = 64;

/**
 * A growing list of int32 numbers. Its memory is outside the V8 heap: 4 bytes an element, 8 at worst.
 * Reading or writing past the end throws RangeError.
 */
export class IntList {
  #values: Int32Array;
  #length = 0;

  constructor(capacity = INITIAL_CAPACITY) {
    this.#values = new Int32Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) this.#grow();
    this.#values[this.#length++] = value;
  }

  at(position: number): number {
    const value = position < this.#length ? this.#values[position] : undefined;
    if (value === undefined) throw outside(position, this.#length);
    return value;
  }

  set(position: number, value: number): void {
    if (position < 0 || position >= this.#length) throw outside(position, this.#length);
    this.#values[position] = value;
  }

  add(position: number, amount: number): void {
    this.set(position, this.at(position) + amount);
  }

  #grow(): void {
    const larger = new Int32Array(Math.max(INITIAL_CAPACITY, this.#values.length * 2));
    larger.set(this.#values);
    this.#values = larger;
  }

  /** A list of `length` zeros. */
  static zeros(length: number): IntList {
    const list = new IntList(length);
    list.#length = length;
    return list;
  }
}

function outside(position: number, length: number): RangeError {
  return new RangeError(`Position ${position} is outside a list of ${length}`);
}
