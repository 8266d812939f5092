import { afterAll, beforeAll, inject } from 'vitest';
import {
  startTestDatabase,
  type TestDatabase,
  type TestDatabaseOptions,
} from '../../src/testing/index.js';

/** A test database for the tests of a file, on the server of the run. */
export function useTestDatabase(options: TestDatabaseOptions = {}): { readonly db: TestDatabase } {
  const started: { db?: TestDatabase } = {};
  beforeAll(async () => {
    const server = options.ownServer ? {} : { connectionString: inject('connectionString') };
    started.db = await startTestDatabase({ ...server, ...options });
  });
  afterAll(() => started.db?.stop());
  return {
    get db() {
      if (!started.db) throw new Error('the test database is there only while tests run');
      return started.db;
    },
  };
}
