import type { Query } from './database.js';

/** Ends every connection of this name but the one that asks; resolves with how many there were. */
export async function endConnections(query: Query, applicationName: string): Promise<number> {
  const ended = await query(
    `select pg_terminate_backend(a.pid) from pg_stat_activity a
     where a.application_name = $1 and a.pid <> pg_backend_pid()`,
    [applicationName],
  );
  return ended.length;
}
