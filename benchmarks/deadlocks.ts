import { onServer } from './box.js';
import type { Sample } from './figure.js';

/** Does `work`, and resolves with how many deadlocks the server broke in this database meanwhile. */
export async function countDeadlocks(
  connectionString: string,
  work: () => Promise<void>,
): Promise<Sample> {
  const before = await read(connectionString);
  await work();
  const value = (await read(connectionString)) - before;
  return { who: 'signalbox', what: 'deadlocks', unit: '', value };
}

async function read(connectionString: string): Promise<number> {
  return await onServer(connectionString, async (client) => {
    const { rows } = await client.query<{ deadlocks: string }>(
      'select deadlocks from pg_stat_database where datname = current_database()',
    );
    return Number(rows[0]?.deadlocks);
  });
}
