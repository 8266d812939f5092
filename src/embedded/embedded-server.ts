import { connectionUrl } from './connection.js';
import type { Launch } from './launch.js';
import { makeOwnedDir, type OwnedDir, RUN_DIR_PREFIX } from './owned-dir.js';
import { Postmaster, type PostmasterPlan } from './postmaster.js';
import { waitUntilReady } from './readiness.js';

/** A Postgres server that answers. */
export interface EmbeddedServer extends AsyncDisposable {
  /** A superuser's URL, for pg, libpq (psql) and whatever reads such URLs. */
  readonly connectionString: string;
  /** The cluster's directory (PGDATA), as a real path. */
  readonly dataDir: string;
  /**
   * Cuts off all clients, shuts down, and resolves when the process has ended. A temporary cluster is
   * removed. On an adopted server it does nothing: the process that started the server stops it. Safe to call
   * twice.
   */
  stop(): Promise<void>;
}

/** A server that this process started and will stop. */
class OwnedServer implements EmbeddedServer {
  readonly connectionString: string;
  readonly dataDir: string;
  readonly #postmaster: Postmaster;
  readonly #runDir: OwnedDir;
  #stopped: Promise<void> | null = null;

  constructor(launch: Launch, dataDir: string, postmaster: Postmaster, runDir: OwnedDir) {
    const { port } = launch;
    this.connectionString = connectionUrl(
      port === undefined ? postmaster.socket : { host: '127.0.0.1', port },
    );
    this.dataDir = dataDir;
    this.#postmaster = postmaster;
    this.#runDir = runDir;
    postmaster.exited.then(() => {
      if (this.#stopped !== null) return;
      launch.logger.warn(
        `The embedded Postgres ended by itself (${postmaster.ending}); see ${postmaster.log.path}.`,
      );
    });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #shutDown(): Promise<void> {
    await this.#postmaster.stop();
    await this.#runDir.remove();
  }
}

/** A server that somebody else started: ours to use, not to stop. */
export function adoptedServer(dataDir: string, connectionString: string): EmbeddedServer {
  return {
    dataDir,
    connectionString,
    async stop() {},
    async [Symbol.asyncDispose]() {},
  };
}

/** Starts a server on an existing cluster and waits until it answers. Leaves nothing behind if it does not. */
export async function startServer(
  launch: Launch,
  runDir: OwnedDir,
  plan: PostmasterPlan,
): Promise<EmbeddedServer> {
  const postmaster = await Postmaster.spawn(launch, plan);
  try {
    await waitUntilReady(postmaster, launch);
    return new OwnedServer(launch, plan.dataDir, postmaster, runDir);
  } catch (error) {
    await postmaster.stop();
    throw error;
  }
}

/** Hands a fresh run directory to `use`, which passes it on to a server; removes it if `use` fails. */
export async function withRunDir(
  launch: Launch,
  use: (runDir: OwnedDir) => Promise<EmbeddedServer>,
): Promise<EmbeddedServer> {
  const { tempFolder, owner, runAs } = launch;
  const runDir = await makeOwnedDir(tempFolder, RUN_DIR_PREFIX, owner, runAs);
  try {
    return await use(runDir);
  } catch (error) {
    await runDir.remove();
    throw error;
  }
}
