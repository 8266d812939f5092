import type pg from 'pg';
import { type ConnectOptions, closePool, openPool } from '../connection.js';
import type { RestartableServer } from '../embedded/restartable-server.js';
import { InvalidOptionError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Namespace } from '../namespace.js';
import { Signalbox } from '../signalbox.js';
import { endConnections } from '../store/connections.js';
import { Database } from '../store/database.js';
import { uninstall } from '../store/install.js';
import type { TaskStore } from '../store/task-store.js';
import type { Actor } from '../worker/actor.js';
import { type DrainOptions, drain } from './drain.js';
import type { DrainReport } from './drain-report.js';
import type { BorrowedServer } from './shared-server.js';
import { TestClock } from './test-clock.js';

export interface TestDatabaseOptions {
  /** A server of yours, Postgres 15 or later. Undefined or empty: an embedded one. */
  readonly connectionString?: string | undefined;
  /** An embedded server for this database alone, which may crash without harm to others. Default false: shared in this process. */
  readonly ownServer?: boolean | undefined;
  /** Connections of the box's pool. Default 10. */
  readonly maxConnections?: number | undefined;
  /** Default: silent. */
  readonly logger?: Logger | undefined;
}

interface TestDatabaseParts {
  readonly schema: string;
  readonly serverUrl: string;
  readonly borrowed: BorrowedServer | undefined;
  readonly options: TestDatabaseOptions;
}

const CONTROL_CONNECTIONS = 2;

/**
 * A schema for tests, made by `startTestDatabase`.
 *
 * Its connections are of two kinds. Those of the system under test bear the schema's name as their application_name,
 * which `connectionString` gives to every process that uses it: `killConnections` ends them. The clock
 * and what else the test does to the database go by connections of another name, which live on.
 */
export class TestDatabase implements AsyncDisposable {
  /** A random name. */
  readonly schema: string;
  /** For other processes and connections of the system under test; give `schema` along with it. */
  readonly connectionString: string;
  /** The box's own pool. */
  readonly pool: pg.Pool;
  readonly box: Signalbox;
  /** Moves time for every process on this schema. */
  readonly clock: TestClock;
  readonly #borrowed: BorrowedServer | undefined;
  readonly #options: TestDatabaseOptions;
  readonly #controlPool: pg.Pool;
  readonly #control: Database;
  readonly #others: Signalbox[] = [];
  #numNamespaces = 0;
  #stopped: Promise<void> | undefined;

  constructor({ schema, serverUrl, borrowed, options }: TestDatabaseParts) {
    this.schema = schema;
    this.#borrowed = borrowed;
    this.#options = options;
    this.connectionString = withApplicationName(serverUrl, schema);
    this.pool = openPool(this.#connectOptions());
    this.box = new Signalbox(this.pool, { ...this.#connectOptions(), pool: this.pool });
    this.#controlPool = openPool({
      connectionString: withApplicationName(serverUrl, `${schema}-control`),
      maxConnections: CONTROL_CONNECTIONS,
    });
    this.#control = new Database({ pool: this.#controlPool, schema, preparedStatements: false });
    this.clock = new TestClock(this.#control);
  }

  /** A store that no other test sees, one at every call; with a name, that of the prefix, for other processes to use too. */
  namespace(name = `n${++this.#numNamespaces}`): Namespace {
    return this.box.withPrefix(name);
  }

  /** Another Signalbox on the schema: another process, as far as the database can tell. Closed by `stop`. */
  async connect(options: ConnectOptions = {}): Promise<Signalbox> {
    const merged = { ...this.#connectOptions(), ...options };
    const other = new Signalbox(options.pool ?? openPool(merged), merged);
    this.#others.push(other);
    return other;
  }

  /** `drain` with this database's clock: it stands still meanwhile, or moves, with `timers`. */
  drain(
    store: TaskStore,
    actors: Actor | readonly Actor[],
    options: Omit<DrainOptions, 'clock'> = {},
  ): Promise<DrainReport> {
    return drain(store, actors, { ...options, clock: this.clock });
  }

  /** Cuts off everything that connected by `connectionString`, in whatever process; resolves with how many connections. */
  killConnections(): Promise<number> {
    return endConnections((text, values) => this.#control.rows(text, values), this.schema);
  }

  /** The embedded server ends at once, saving nothing; what was committed is there when it starts again. */
  async crashServer(): Promise<void> {
    await this.#ownedServer().crash();
  }

  /** Starts a crashed server again, at the same address; resolves once it answers. */
  async startServer(): Promise<void> {
    await this.#ownedServer().resume();
  }

  /** Crashes the server and starts it again. */
  async restartServer(): Promise<void> {
    await this.crashServer();
    await this.startServer();
  }

  /** Closes its connections, drops the schema, and stops an embedded server that nobody else uses. Safe twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Closes its connections and no more: the schema stays. */
  async disconnect(): Promise<void> {
    await Promise.all([this.box, ...this.#others].map((box) => box.close()));
    await Promise.all([this.pool, this.#controlPool].map(closePool));
  }

  async #stop(): Promise<void> {
    try {
      await Promise.all([this.box, ...this.#others].map((box) => box.close()));
      // On a server that a test left down there is nothing to drop.
      if (this.#borrowed?.server.isRunning ?? true) {
        await this.killConnections();
        await uninstall(this.#control);
      }
    } finally {
      await this.disconnect();
      await this.#borrowed?.release();
    }
  }

  #ownedServer(): RestartableServer {
    if (this.#borrowed) return this.#borrowed.server;
    throw new InvalidOptionError(
      'connectionString',
      'names a server that is not ours to crash; leave it out for an embedded one',
    );
  }

  #connectOptions(): ConnectOptions {
    const { maxConnections, logger } = this.#options;
    return {
      connectionString: this.connectionString,
      schema: this.schema,
      ...(maxConnections === undefined ? {} : { maxConnections }),
      ...(logger ? { logger } : {}),
    };
  }
}

/** The last of several wins, for pg and for libpq. */
function withApplicationName(url: string, name: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}application_name=${name}`;
}
