import { randomBytes } from 'node:crypto';
import { RestartableServer } from '../embedded/restartable-server.js';
import { InvalidOptionError } from '../errors.js';
import { type BorrowedServer, borrowServer } from './shared-server.js';
import { TestDatabase, type TestDatabaseOptions } from './test-database.js';

/**
 * Starts a database for tests: a schema of its own with a random name, installed, on an embedded Postgres that all test
 * databases of this process share; or on one of its own, or on any server.
 *
 * Knows no test framework: start it before the tests of a file or a suite, `stop()` it after them, and give each test
 * a `namespace()`. InvalidOptionError; what `startEmbedded` and `migrate` throw.
 */
export async function startTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const { ownServer = false, connectionString: given } = options;
  if (given && ownServer) {
    throw new InvalidOptionError('ownServer', 'cannot go with connectionString; leave out one');
  }
  const schema = `signalbox_test_${randomBytes(6).toString('hex')}`;
  if (given) return openDatabase(schema, given, undefined, options);
  const borrowed = ownServer ? await startOwn() : await borrowServer();
  try {
    return await openDatabase(schema, borrowed.server.connectionString, borrowed, options);
  } catch (error) {
    await borrowed.release();
    throw error;
  }
}

async function startOwn(): Promise<BorrowedServer> {
  const server = await RestartableServer.start();
  return { server, release: () => server.stop() };
}

async function openDatabase(
  schema: string,
  serverUrl: string,
  borrowed: BorrowedServer | undefined,
  options: TestDatabaseOptions,
): Promise<TestDatabase> {
  const db = new TestDatabase({ schema, serverUrl, borrowed, options });
  try {
    await db.box.migrate();
    return db;
  } catch (error) {
    await db.disconnect();
    throw error;
  }
}
