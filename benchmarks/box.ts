import pg from 'pg';
import { type ConnectOptions, connect, type Signalbox } from 'signalbox';

/** Gives `work` a box on a new schema, and drops that at the end. */
export async function withBox<T>(
  options: ConnectOptions & { readonly connectionString: string; readonly schema: string },
  work: (box: Signalbox) => Promise<T>,
): Promise<T> {
  const drop = `drop schema if exists ${options.schema} cascade`;
  const { connectionString } = options;
  await onServer(connectionString, (client) => client.query(drop));
  try {
    await using box = await connect(options);
    await box.migrate();
    return await work(box);
  } finally {
    await onServer(connectionString, (client) => client.query(drop));
  }
}

/** Empties the tables of an engine's schema, but for what an install puts there. */
export async function emptyTables(connectionString: string, schema: string): Promise<void> {
  await onServer(connectionString, async (client) => {
    const { rows } = await client.query<{ tables: string }>(
      `select string_agg(format('%I.%I', schemaname, tablename), ', ') as tables from pg_tables
       where schemaname = $1 and tablename not in ('transition', 'schema_version')`,
      [schema],
    );
    await client.query(`truncate ${rows[0]?.tables}`);
  });
}

/** Gives `work` a connection of its own. */
export async function onServer<T>(
  connectionString: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The connection string of connections that can be told apart in pg_stat_activity. */
export function named(connectionString: string, applicationName: string): string {
  const separator = connectionString.includes('?') ? '&' : '?';
  return `${connectionString}${separator}application_name=${applicationName}`;
}

/** Resolves when no connection of the name is left: a backend's statistics are whole when it is gone. */
export async function untilGone(probe: pg.Client, applicationName: string): Promise<void> {
  for (;;) {
    const { rowCount } = await probe.query(
      'select from pg_stat_activity where application_name = $1',
      [applicationName],
    );
    if (rowCount === 0) return;
  }
}
