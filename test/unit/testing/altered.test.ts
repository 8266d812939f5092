import { describe, expect, it } from 'vitest';
import { altered } from '../../../src/testing/altered.js';

class Counter {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(by: number): number {
    this.#count += by;
    return this.#count;
  }

  twice(by: number): number {
    this.add(by);
    return this.add(by);
  }
}

describe('an altered object', () => {
  it('is its target but for the methods replaced: private fields, getters, instanceof', () => {
    const counter = new Counter();
    const changed = altered(counter, { add: () => 99 });
    expect(changed.add(1)).toBe(99);
    expect(changed.twice(2)).toBe(4);
    expect([changed.count, counter.count]).toEqual([4, 4]);
    expect(changed).toBeInstanceOf(Counter);
  });

  it('may be of a frozen one', () => {
    const frozen = Object.freeze({ name: 'a', greet: (): string => 'hello' });
    const changed = altered(frozen, { greet: () => 'goodbye' });
    expect([changed.greet(), changed.name]).toEqual(['goodbye', 'a']);
  });

  it('calls what was not replaced through `wrap`, by its name', () => {
    const names: string[] = [];
    const changed = altered(new Counter(), {}, (name, method) => {
      names.push(name);
      return method();
    });
    expect([changed.add(1), changed.count]).toEqual([1, 1]);
    expect(names).toEqual(['add']);
  });

  it('can be awaited, and altered again', async () => {
    const once = altered(new Counter(), { add: () => 1 });
    const changed = await altered(once, { twice: () => 2 });
    expect([changed.add(5), changed.twice(5)]).toEqual([1, 2]);
  });
});
