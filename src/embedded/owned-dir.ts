import { constants, rmSync } from 'node:fs';
import { access, chown, lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedServerError } from './embedded-server-error.js';
import { onProcessExit } from './exit-hooks.js';
import { endOrphan } from './postmaster-file.js';
import { isTagAlive, PROCESS_TAG_PATTERN } from './process-tag.js';
import { firstUnreachable, type RunAs } from './run-as.js';
import { unlessCode } from './system-error.js';

/*
 * An owned directory carries the tag of the process that made it in its name, `<prefix><tag>-<6 random
 * characters>`, so there is no moment at which it exists without an owner. Its owner removes it: at stop() or
 * in the `exit` event. What a killed process leaves behind is removed by the next start, whoever does it,
 * once the owner is known to be dead.
 */

export const RUN_DIR_PREFIX = 'signalbox-run-';

/** The data directory within the run directory of a temporary cluster. */
export const TEMPORARY_DATA_DIR = 'data';

/** sun_path holds 104 bytes on macOS and 108 on Linux, the closing zero included. */
const MAX_SOCKET_PATH_BYTES = 103;
const LONGEST_RUN_DIR_NAME = `${RUN_DIR_PREFIX}${'x'.repeat(7)}-4194304-${'x'.repeat(7)}-xxxxxx`;
const LONGEST_SOCKET_NAME = '.s.PGSQL.65535';
const REMOVE = { recursive: true, force: true, maxRetries: 10, retryDelay: 20 } as const;

export interface OwnedDir {
  readonly path: string;
  /** Removes the directory and all in it; safe twice. */
  remove(): Promise<void>;
  /** To be called once the directory has been renamed away: nothing is left to remove at exit. */
  release(): void;
}

async function canHoldRunDirs(folder: string, runAs: RunAs | null): Promise<boolean> {
  const longest = join(folder, LONGEST_RUN_DIR_NAME, LONGEST_SOCKET_NAME);
  if (Buffer.byteLength(longest) > MAX_SOCKET_PATH_BYTES) return false;
  return unlessCode(['ENOENT', 'EACCES', 'EROFS'], false, async () => {
    await access(folder, constants.W_OK | constants.X_OK);
    return (await firstUnreachable(folder, runAs)) === null;
  });
}

/**
 * The folder for run directories: the OS temp folder, or /tmp where that is too deep for a socket or out of
 * reach.
 */
export async function chooseTempFolder(runAs: RunAs | null): Promise<string> {
  for (const folder of [tmpdir(), '/tmp']) {
    if (await canHoldRunDirs(folder, runAs)) return folder;
  }
  throw new EmbeddedServerError(
    'start-failed',
    `Neither ${tmpdir()} nor /tmp can hold the server's socket: the path is too long, does not exist, or ` +
      'it is closed to us or to the server. Set TMPDIR to a short path that every user may write to.',
  );
}

/** Makes a private directory (0700) named after `tag`, given to the user whom the server runs as. */
export async function makeOwnedDir(
  parent: string,
  prefix: string,
  tag: string,
  runAs: RunAs | null,
): Promise<OwnedDir> {
  const path = await mkdtemp(join(parent, `${prefix}${tag}-`));
  const release = onProcessExit(() => rmSync(path, { ...REMOVE, maxRetries: 3 }));
  if (runAs !== null) await chown(path, runAs.uid, runAs.gid);
  return {
    path,
    release,
    async remove() {
      await rm(path, REMOVE);
      release();
    },
  };
}

function tagIn(name: string, prefix: string): string | null {
  const pattern = new RegExp(`^(${PROCESS_TAG_PATTERN})-[A-Za-z0-9]{6}$`);
  return name.startsWith(prefix) ? (pattern.exec(name.slice(prefix.length))?.[1] ?? null) : null;
}

/** Root removes only what it or the server's user owns: in a folder open to all, other names may be traps. */
async function isOurs(path: string, runAs: RunAs | null): Promise<boolean> {
  const stats = await lstat(path);
  return stats.isDirectory() && (stats.uid === process.geteuid?.() || stats.uid === runAs?.uid);
}

async function removeIfAbandoned(path: string, tag: string, runAs: RunAs | null): Promise<boolean> {
  if ((await isTagAlive(tag)) || !(await isOurs(path, runAs))) return false;
  await endOrphan(join(path, TEMPORARY_DATA_DIR));
  await rm(path, REMOVE);
  return true;
}

/**
 * Removes the owned directories in `parent` whose owner is dead, and ends a server that still runs in one.
 * Those of living processes, of other users and of other pid namespaces are left alone. Never fails: `warn`
 * hears what went wrong.
 */
export async function removeAbandonedDirs(
  parent: string,
  prefix: string,
  runAs: RunAs | null,
  log: { debug(message: string): void; warn(message: string): void },
): Promise<void> {
  const names = await unlessCode(['ENOENT', 'EACCES'], [], () => readdir(parent));
  for (const name of names) {
    const tag = tagIn(name, prefix);
    if (tag === null) continue;
    const path = join(parent, name);
    try {
      const isRemoved = await removeIfAbandoned(path, tag, runAs);
      if (isRemoved) log.debug(`Removed ${path}, left behind by a process that was killed.`);
    } catch (error) {
      log.warn(`Could not remove ${path}, left behind by a process that was killed: ${error}`);
    }
  }
}
