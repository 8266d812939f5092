import { replaceClock } from '../../src/store/clock.js';
import { Database } from '../../src/store/database.js';
import type { TestBox } from './test-box.js';

/** The clock of a schema, put in the place of the engine's: it stands still, and moving it does nothing else. */
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
    const { pool, schema } = this.#test;
    this.#now = new Date(time);
    const database = new Database({ pool, schema, preparedStatements: false });
    await replaceClock(database, { kind: 'frozen', at: this.#now });
  }

  async advance(durationMs: number): Promise<void> {
    await this.set(new Date(this.#now.getTime() + durationMs));
  }
}
