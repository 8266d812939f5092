import type { TestBox } from './test-box.js';

/** The clock of a schema, put in the place of the engine's: time is what the test says, for every process. */
export class SchemaClock {
  readonly #test: TestBox;
  #now = new Date(0);

  constructor(test: TestBox) {
    this.#test = test;
  }

  get now(): Date {
    return this.#now;
  }

  async set(time: Date | string): Promise<void> {
    this.#now = new Date(time);
    await this.#test.pool.query(
      `create or replace function ${this.#test.schema}.now() returns timestamptz
       language sql volatile as $$ select '${this.#now.toISOString()}'::timestamptz $$`,
    );
  }

  async advance(durationMs: number): Promise<void> {
    await this.set(new Date(this.#now.getTime() + durationMs));
  }
}
