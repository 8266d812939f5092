import type { TestProject } from 'vitest/node';
import { startEmbedded } from '../../src/embedded/index.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A superuser's URL of the Postgres server for this run: `inject('connectionString')`. */
    connectionString: string;
  }
}

/**
 * One server for the whole run: that of SIGNALBOX_TEST_DATABASE_URL, else an embedded one that is stopped at
 * the end.
 */
export default async function setup(
  project: TestProject,
): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.SIGNALBOX_TEST_DATABASE_URL;
  if (given !== undefined && given !== '') {
    project.provide('connectionString', given);
    return undefined;
  }
  const server = await startEmbedded({ settings: { max_connections: 300, fsync: false } });
  project.provide('connectionString', server.connectionString);
  return () => server.stop();
}
