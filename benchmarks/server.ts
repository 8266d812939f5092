import { startEmbedded } from 'signalbox/embedded';

export interface BenchServer {
  readonly connectionString: string;
  stop(): Promise<void>;
}

/**
 * The server at `databaseUrl`, or a temporary one. That has pg_stat_statements loaded but counting nothing, except on
 * connections that ask for it: see tracked(). Writing WAL is timed, for --profile; that costs two looks at the clock a write.
 */
export async function openServer(databaseUrl: string | undefined): Promise<BenchServer> {
  if (databaseUrl !== undefined) {
    return { connectionString: databaseUrl, stop: async () => {} };
  }
  return await startEmbedded({
    settings: {
      shared_preload_libraries: 'pg_stat_statements',
      'pg_stat_statements.track': 'none',
      track_wal_io_timing: true,
    },
  });
}
