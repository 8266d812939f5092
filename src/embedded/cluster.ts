import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdir, readdir, realpath, rename } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SUPERUSER } from './connection.js';
import { spawnGuarded } from './death-guard.js';
import { EmbeddedServerError } from './embedded-server-error.js';
import type { Launch } from './launch.js';
import { makeOwnedDir, removeAbandonedDirs } from './owned-dir.js';
import { firstUnreachable } from './run-as.js';
import { unlessCode } from './system-error.js';

/**
 * C.UTF-8 of the builtin provider sorts by code point and is the same on every machine and under every
 * version of its C library. Trust: who can reach the socket is the question, and the socket lies in a private
 * directory.
 */
const INITDB_FLAGS = [
  `--username=${SUPERUSER}`,
  '--encoding=UTF8',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--auth=trust',
  '--no-instructions',
] as const;

/** Who renames a directory may find: one in the way, a mount point, or a parent that is closed to us. */
const RENAME_REFUSED = ['ENOTEMPTY', 'EEXIST', 'EBUSY', 'EXDEV', 'EACCES', 'EPERM', 'EROFS'];

async function readAll(child: ChildProcess): Promise<string> {
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  }
  await once(child, 'close');
  return chunks.join('');
}

/**
 * Creates a cluster in a directory that is empty or absent. `durable`: it has reached the disk when this
 * resolves.
 */
export async function initCluster(
  launch: Launch,
  dataDir: string,
  durable: boolean,
): Promise<void> {
  const child = await spawnGuarded(launch.guard, {
    file: launch.binaries.initdb,
    args: ['-D', dataDir, ...INITDB_FLAGS, ...(durable ? [] : ['--no-sync'])],
    runAs: launch.runAs,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = await readAll(child);
  if (child.exitCode === 0) return;
  throw new EmbeddedServerError(
    'start-failed',
    `initdb could not create a cluster in ${dataDir} (${child.signalCode ?? `exit code ${child.exitCode}`}):\n${output.trim()}`,
  );
}

/**
 * The real path of a data directory that may not exist yet, once it is known that the server may enter its
 * parent.
 */
async function reachableDataDir(launch: Launch, dataDir: string): Promise<string> {
  await mkdir(dirname(resolve(dataDir)), { recursive: true });
  const parent = await realpath(dirname(resolve(dataDir)));
  const closed = await firstUnreachable(parent, launch.runAs);
  if (closed !== null) {
    throw new EmbeddedServerError(
      'data-directory',
      `The data directory ${dataDir} is out of reach: the server runs as ${launch.runAs?.name}, who may not enter ${closed}. ` +
        'Choose another directory, or run this program as an ordinary user.',
    );
  }
  const path = join(parent, basename(resolve(dataDir)));
  return unlessCode(['ENOENT'], path, () => realpath(path));
}

async function needsCluster(dataDir: string): Promise<boolean> {
  if (existsSync(join(dataDir, 'PG_VERSION'))) return false;
  const entries = await unlessCode(['ENOENT'], [], () => readdir(dataDir));
  if (entries.length === 0) return true;
  throw new EmbeddedServerError(
    'data-directory',
    `The data directory ${dataDir} is neither empty nor a Postgres cluster: it holds ${entries.slice(0, 3).join(', ')}. ` +
      'Give an empty or a new directory.',
  );
}

/**
 * Creates the cluster beside its final place and renames it, so that neither a crash nor a second process
 * doing the same can leave half a cluster under the final name. False if the rename is refused.
 */
async function createBeside(launch: Launch, dataDir: string): Promise<boolean> {
  const prefix = `${basename(dataDir)}.init-`;
  await removeAbandonedDirs(dirname(dataDir), prefix, launch.runAs, launch.logger);
  return unlessCode(RENAME_REFUSED, false, async () => {
    const staging = await makeOwnedDir(dirname(dataDir), prefix, launch.owner, launch.runAs);
    try {
      await initCluster(launch, staging.path, true);
      await rename(staging.path, dataDir);
      return true;
    } finally {
      await staging.remove();
    }
  });
}

async function createInPlace(launch: Launch, dataDir: string): Promise<void> {
  if (launch.runAs !== null) await chown(dataDir, launch.runAs.uid, launch.runAs.gid);
  await initCluster(launch, dataDir, true);
}

/**
 * Makes sure that `dataDir` holds a cluster; gives its real path. Where the directory cannot be renamed to (a
 * mounted volume), the cluster is created in place, and two processes must not do that at once.
 */
export async function ensureCluster(launch: Launch, dataDir: string): Promise<string> {
  const path = await reachableDataDir(launch, dataDir);
  if (!(await needsCluster(path)) || (await createBeside(launch, path))) return path;
  if (await needsCluster(path)) await createInPlace(launch, path);
  return path;
}
