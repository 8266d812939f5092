import { execFile } from 'node:child_process';
import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedServerError } from './embedded-server-error.js';
import { unlessCode } from './system-error.js';

/** The user a server runs as. Null stands for: as ourselves. Postgres refuses to run as root. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

const UNPRIVILEGED_USERS = ['postgres', 'nobody'] as const;
const run = promisify(execFile);

async function idOf(flag: '-u' | '-g', user: string): Promise<number> {
  const { stdout } = await run('id', [flag, user]);
  // macOS prints nobody's -2 as 4294967294, which spawn() refuses.
  return Number(stdout) | 0;
}

async function findUser(name: string): Promise<RunAs | null> {
  try {
    const [uid, gid] = await Promise.all([idOf('-u', name), idOf('-g', name)]);
    return { uid, gid, name };
  } catch {
    return null;
  }
}

async function ownerOf(dataDir: string): Promise<RunAs | null> {
  const stats = await unlessCode(['ENOENT', 'ENOTDIR'], null, () => stat(dataDir));
  if (stats === null || stats.uid === 0) return null;
  return { uid: stats.uid, gid: stats.gid, name: `the owner of ${dataDir} (uid ${stats.uid})` };
}

/**
 * The user to run the server as: ourselves; or, for root, the owner of the data directory, else `postgres`,
 * else `nobody`. The owner comes first because Postgres refuses a directory that belongs to another.
 */
export async function chooseRunAs(dataDir?: string): Promise<RunAs | null> {
  if (process.geteuid?.() !== 0) return null;
  const owner = dataDir === undefined ? null : await ownerOf(dataDir);
  if (owner !== null) return owner;
  for (const name of UNPRIVILEGED_USERS) {
    const user = await findUser(name);
    if (user !== null) return user;
  }
  throw new EmbeddedServerError(
    'start-failed',
    'Postgres refuses to run as root and there is neither a user `postgres` nor `nobody` to run it as. ' +
      'Create one of them, or run this program as an ordinary user.',
  );
}

function mayTraverse(stats: Stats, user: RunAs): boolean {
  if (stats.uid === user.uid) return (stats.mode & 0o100) !== 0;
  if (stats.gid === user.gid) return (stats.mode & 0o010) !== 0;
  return (stats.mode & 0o001) !== 0;
}

/**
 * The outermost part of an existing path that `runAs` may not enter (for a file: execute), or null if it may
 * reach it. Looks at the mode bits alone, not at access control lists.
 */
export async function firstUnreachable(path: string, runAs: RunAs | null): Promise<string | null> {
  if (runAs === null) return null;
  const parts: string[] = [];
  for (let part = await realpath(path); part !== dirname(part); part = dirname(part)) {
    parts.unshift(part);
  }
  for (const part of parts) {
    if (!mayTraverse(await stat(part), runAs)) return part;
  }
  return null;
}
