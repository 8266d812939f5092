import { resolve } from 'node:path';
import { ConnectionSettingsError } from '../errors.js';
import type { Logger } from '../logger.js';
import { connect, type Signalbox } from '../signalbox.js';
import type { TaskStore } from '../store/task-store.js';
import type { GlobalOptions } from './global-options.js';
import type { Output } from './output.js';

/** Where a command that needs no database of the user's keeps its own. */
export const LOCAL_DATA_DIR = '.signalbox/postgres';

const NO_DATABASE =
  'No database is named. Give --database-url postgres://user:password@host:5432/database, set DATABASE_URL, or PGHOST and its ' +
  `like; or --embedded=DIR for an embedded Postgres, such as the one that signalbox run keeps in ${LOCAL_DATA_DIR}.`;

/** What to do when no database is named: fail, or start an embedded one, kept in LOCAL_DATA_DIR or temporary. */
export type Fallback = 'none' | 'kept' | 'temporary';

/** An open database. */
export interface CliContext extends AsyncDisposable {
  readonly box: Signalbox;
  /** The namespace that `--prefix` names, else the whole of it. */
  readonly store: TaskStore;
  /** Whether nothing in it outlives the command. */
  readonly isTemporary: boolean;
}

interface Server extends AsyncDisposable {
  readonly connectionString: string;
}

/**
 * Opens what the global options name. An embedded database is brought to this version's schema, any other is left as it is.
 * ConnectionSettingsError when none is named and `fallback` is `none`; that one cannot be reached may show only later.
 */
export async function openContext(
  globals: GlobalOptions,
  { output, fallback = 'none' }: { output: Output; fallback?: Fallback },
): Promise<CliContext> {
  if (globals.embedded !== undefined) {
    return openEmbedded(globals, output, globals.embedded === '' ? undefined : globals.embedded);
  }
  try {
    return await connectTo(globals, output);
  } catch (error) {
    if (!(error instanceof ConnectionSettingsError)) throw error;
    if (fallback === 'none') throw new ConnectionSettingsError(NO_DATABASE, { cause: error });
  }
  return openEmbedded(globals, output, fallback === 'kept' ? LOCAL_DATA_DIR : undefined);
}

async function openEmbedded(
  globals: GlobalOptions,
  output: Output,
  dataDir: string | undefined,
): Promise<CliContext> {
  output.note(
    dataDir === undefined
      ? 'Using a temporary embedded Postgres, removed at the end.'
      : `Using the embedded Postgres in ${dataDir}; other commands find it with --embedded=${dataDir}.`,
  );
  const { startEmbedded } = await import('../embedded/index.js');
  const server = await startEmbedded(dataDir === undefined ? {} : { dataDir: resolve(dataDir) });
  try {
    const context = await connectTo(globals, output, server);
    await context.box.migrate();
    return { ...context, isTemporary: dataDir === undefined };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** Without a server of our own: to what the options or the environment name. */
async function connectTo(
  { databaseUrl, schema, prefix }: GlobalOptions,
  output: Output,
  server?: Server,
): Promise<CliContext> {
  const closing = new AbortController();
  const connectionString = server?.connectionString ?? databaseUrl;
  const box = await connect({
    ...(connectionString === undefined ? {} : { connectionString }),
    ...(schema === undefined ? {} : { schema }),
    logger: loggerUntil(closing.signal, output.logger),
  });
  return {
    box,
    store: prefix === undefined ? box : box.withPrefix(prefix),
    isTemporary: false,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await box.close();
      await server?.[Symbol.asyncDispose]();
    },
  };
}

/** Until `closing` fires: what a connection says when its server is stopped is nobody's concern. */
function loggerUntil(closing: AbortSignal, logger: Logger): Logger {
  const until = (log: Logger['warn']) => (fields: object, message: string) => {
    if (!closing.aborted) log(fields, message);
  };
  return {
    debug: until(logger.debug),
    info: until(logger.info),
    warn: until(logger.warn),
    error: until(logger.error),
  };
}
