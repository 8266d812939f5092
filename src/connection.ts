import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { ConnectionSettingsError, InvalidOptionError } from './errors.js';
import type { Logger } from './logger.js';

/** How to reach the database. One of `connectionString` and `pool`, or neither: see `connect`. */
export interface ConnectOptions {
  /** `postgres://user:password@host:port/database`. */
  connectionString?: string;
  /** A pool of the caller's, who ends it. Its clients must not be pipelined: COPY needs a connection alone. */
  pool?: pg.Pool;
  /** Connections of the pool that signalbox opens. Default 10. */
  maxConnections?: number;
  /** Reaches the server itself where `connectionString` reaches PgBouncer, through which LISTEN hears nothing. */
  listenConnectionString?: string;
  /** Default `'signalbox'`. One database can hold several. */
  schema?: string;
  /** Default true. PgBouncer before 1.21 in transaction mode needs false. */
  preparedStatements?: boolean;
  /** Results longer than this, as JSON, are refused: ResultTooLargeError. Default 10 MiB. */
  maxResultBytes?: number;
  /** Pino-compatible. Default: silent. */
  logger?: Logger;
}

const DEFAULT_MAX_CONNECTIONS = 10;
const CLOSE_POLL_MS = 5;
const PG_VARIABLES = ['PGHOST', 'PGSERVICE', 'PGDATABASE', 'PGUSER'];

/** ConnectionSettingsError when neither the options nor the environment say where the database is. */
export function openPool(options: ConnectOptions): pg.Pool {
  const max = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  if (!Number.isInteger(max) || max < 1) {
    throw new InvalidOptionError('maxConnections', `is ${max}; give a whole number from 1 up`);
  }
  const pool = new pg.Pool({
    ...connectionConfig(options.connectionString),
    max,
    keepAlive: true,
    fallback_application_name: 'signalbox',
  });
  // A connection that dies idle is replaced; without a listener its error would end the process.
  pool.on('error', (error) => options.logger?.warn({ err: error }, 'an idle connection was lost'));
  return pool;
}

/** Ends a pool when nothing waits for a connection any more: pg would never settle those calls. */
export async function closePool(pool: pg.Pool): Promise<void> {
  while (pool.waitingCount > 0) await delay(CLOSE_POLL_MS);
  if (!pool.ending) await pool.end();
}

/** Settings of the one LISTEN connection. */
export function toListenConfig(options: ConnectOptions, pool: pg.Pool): pg.ClientConfig {
  const connectionString = options.listenConnectionString ?? options.connectionString;
  if (connectionString !== undefined) return { connectionString };
  return options.pool ? pool.options : connectionConfig();
}

function connectionConfig(connectionString?: string): pg.ClientConfig {
  const url = connectionString ?? process.env.DATABASE_URL;
  if (url) return { connectionString: url };
  if (PG_VARIABLES.some((name) => process.env[name])) return {};
  throw new ConnectionSettingsError(
    'No database was named. Set DATABASE_URL=postgres://user:password@host:5432/database, or PGHOST and its ' +
      "like, or call connect({ connectionString }); for a server without installing one, see startEmbedded in 'signalbox/embedded'.",
  );
}
