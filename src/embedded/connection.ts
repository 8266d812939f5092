import pg from 'pg';

/** Where a server listens: `host` is an address, or the absolute path of the directory that holds its socket. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export const SUPERUSER = 'postgres';
const DATABASE = 'postgres';

/** A setting of our own, given on the server's command line: the tag of the process that started it. */
export const OWNER_SETTING = 'signalbox.owner';

/**
 * The connection string of an endpoint. It names everything, so that no PG* variable of the caller's
 * environment fills a gap: pg takes a missing port from PGPORT and TLS from PGSSLMODE. A socket's directory
 * goes into the parameter `host`, which libpq, pg and most other drivers put above the host of the URL, and
 * which leaves the URL parsable.
 */
export function connectionUrl({ host, port }: Endpoint): string {
  if (!host.startsWith('/')) {
    return `postgres://${SUPERUSER}@${host}:${port}/${DATABASE}?sslmode=disable`;
  }
  const socket = encodeURIComponent(host).replaceAll('%2F', '/');
  return `postgres://${SUPERUSER}@localhost:${port}/${DATABASE}?host=${socket}&sslmode=disable`;
}

/**
 * Connects, asks, and closes. Gives the tag of the process that started the server; null if it is not one of
 * ours.
 */
export async function askOwner(endpoint: Endpoint, timeoutMs: number): Promise<string | null> {
  const client = new pg.Client({
    connectionString: connectionUrl(endpoint),
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  // The server may end while we ask; the pending call reports it.
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ owner: string | null }>(
      'select current_setting($1, true) as owner',
      [OWNER_SETTING],
    );
    return rows[0]?.owner ?? null;
  } finally {
    await client.end();
  }
}
