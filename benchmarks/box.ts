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
