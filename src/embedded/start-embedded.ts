import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SignalboxError } from '../errors.js';
import { adopt } from './adoption.js';
import { locateNativeDir, prepareBinaries } from './binaries.js';
import { ensureCluster, initCluster } from './cluster.js';
import { findDeathGuard } from './death-guard.js';
import { type EmbeddedServer, startServer, withRunDir } from './embedded-server.js';
import { EmbeddedServerError } from './embedded-server-error.js';
import type { Launch } from './launch.js';
import { type CheckedOptions, checkOptions, type StartEmbeddedOptions } from './options.js';
import {
  chooseTempFolder,
  RUN_DIR_PREFIX,
  removeAbandonedDirs,
  TEMPORARY_DATA_DIR,
} from './owned-dir.js';
import { findPostmaster, postmasterFile } from './postmaster-file.js';
import { ownTag } from './process-tag.js';
import { chooseRunAs } from './run-as.js';

/*
 * A real Postgres, from npm, as our child.
 *
 *   absent --initdb--> stopped --spawn--> starting --it answers--> running --stop()--> stopped (temporary: removed)
 *
 * A persistent cluster is created under another name and renamed, so `absent` is never half of one. All else
 * that a start decides, it decides from what it finds, never from notes that a crash could leave wrong:
 *
 * - `postmaster.pid` names a live server on this data directory: if its owner lives, or it is not ours, the server
 *   is adopted; if its owner is dead, it is ended and a new one started. Whose it is, the server itself says
 *   (the setting signalbox.owner).
 * - `postmaster.pid` is stale: Postgres clears it up and recovers; see postmaster-file.ts for a reused pid.
 * - Two processes start one data directory at once: Postgres lets one in, and the other finds a live server and
 *   adopts it.
 *
 * What a crash does. We are killed: the death guard (death-guard.ts) interrupts the server, which saves its
 * data and ends; its run directory stays until the next start, by whomever, removes it. The server is killed:
 * clients see their connections break, the logger is told, stop() cleans up. The machine goes down: a
 * persistent cluster recovers, a temporary one is not missed.
 *
 * Why a socket and not TCP. The run directory is private (0700) and its path is short, so other users of the
 * machine, who could become superuser of a server on TCP without a password, cannot reach it; no port needs
 * to be found free, which someone else could take before Postgres binds it. node-postgres, pg-listen and
 * libpq take the path from the connection string.
 *
 * Measured on two cores of a Linux machine: a new cluster answers after 0.5 s on an idle and 0.9 s on a busy
 * machine, nearly all of it initdb; an existing one after 45 or 65 ms, an adopted one after 13 or 18 ms; stop()
 * takes 10 to 50 ms.
 */

/** How long a start puts up with the remains of a crashed server: its backends end within moments of its death. */
const REMAINS_MS = 5_000;
const RETRY_INTERVAL_MS = 50;

/** Settles all that can be settled before a server is started. */
export async function prepareLaunch(options: CheckedOptions): Promise<Launch> {
  const deadline = performance.now() + options.startTimeoutMs;
  const nativeDir = locateNativeDir();
  const [guard, owner, runAs] = await Promise.all([
    findDeathGuard(),
    ownTag(),
    chooseRunAs(options.dataDir),
  ]);
  const tempFolder = await chooseTempFolder(runAs);
  const binaries = await prepareBinaries({ nativeDir, runAs, cacheFolder: tempFolder });
  return { ...options, deadline, binaries, guard, owner, runAs, tempFolder };
}

async function startTemporary(launch: Launch): Promise<EmbeddedServer> {
  return withRunDir(launch, async (runDir) => {
    const dataDir = join(runDir.path, TEMPORARY_DATA_DIR);
    await initCluster(launch, dataDir, false);
    return startServer(launch, runDir, {
      dataDir,
      socketDir: runDir.path,
      logFiles: [join(runDir.path, 'server.log')],
      isThrowaway: true,
    });
  });
}

async function startOnce(launch: Launch, dataDir: string): Promise<EmbeddedServer> {
  return withRunDir(launch, (runDir) =>
    startServer(launch, runDir, {
      dataDir,
      socketDir: runDir.path,
      logFiles: [`${dataDir}.log`, join(runDir.path, 'server.log')],
      isThrowaway: false,
    }),
  );
}

/** A server that fails for a reason of its own removes its lock file; a lock file that stands held it off. */
async function startUnlessLocked(launch: Launch, dataDir: string): Promise<EmbeddedServer | null> {
  try {
    return await startOnce(launch, dataDir);
  } catch (error) {
    if (existsSync(postmasterFile(dataDir))) {
      launch.logger.debug(
        `The cluster ${dataDir} is held by another server or its remains: ${error}`,
      );
      return null;
    }
    throw error;
  }
}

async function startPersistent(launch: Launch, wantedDir: string): Promise<EmbeddedServer> {
  const dataDir = await ensureCluster(launch, wantedDir);
  const patienceEnds = performance.now() + REMAINS_MS;
  for (;;) {
    const running = await findPostmaster(dataDir);
    const adopted = running === null ? null : await adopt(launch, dataDir);
    if (adopted !== null) return adopted;
    const server =
      performance.now() < patienceEnds
        ? await startUnlessLocked(launch, dataDir)
        : await startOnce(launch, dataDir);
    if (server !== null) return server;
    await pause(RETRY_INTERVAL_MS);
  }
}

/** What went wrong at a start, as one of our errors. */
export function asTyped(error: unknown): unknown {
  if (error instanceof SignalboxError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new EmbeddedServerError(
    'start-failed',
    `The embedded Postgres could not be started: ${message}`,
    {
      cause: error,
    },
  );
}

/**
 * Starts a Postgres 18 server and resolves once it answers queries.
 *
 * Without `dataDir` the cluster is temporary: fast, not safe from a crash of the machine, and removed at
 * `stop()`. With `dataDir` it is kept, created on first use; if a live process already runs a server there,
 * that server is adopted, and ends when its owner stops it. The server ends with this process (or worker
 * thread) even if that is killed, and does not keep it from ending. Root's servers run as the owner of
 * `dataDir`, else as `postgres` or `nobody`.
 *
 * Throws EmbeddedServerError, whose `reason` says at which point it failed, and InvalidOptionError.
 */
export async function startEmbedded(options: StartEmbeddedOptions = {}): Promise<EmbeddedServer> {
  const checked = checkOptions(options);
  try {
    const launch = await prepareLaunch(checked);
    const { tempFolder, runAs, logger } = launch;
    const [server] = await Promise.all([
      checked.dataDir === undefined
        ? startTemporary(launch)
        : startPersistent(launch, checked.dataDir),
      removeAbandonedDirs(tempFolder, RUN_DIR_PREFIX, runAs, logger),
    ]);
    return server;
  } catch (error) {
    throw asTyped(error);
  }
}
