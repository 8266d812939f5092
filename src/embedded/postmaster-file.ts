import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { commandLine, pidExists } from './process-tag.js';
import { unlessCode } from './system-error.js';

/**
 * What a running server writes into `postmaster.pid`. Without a socket `socketDir` is '', without TCP
 * `listenAddress` is.
 */
export interface PostmasterRecord {
  readonly pid: number;
  readonly port: number;
  readonly socketDir: string;
  readonly listenAddress: string;
}

const ORPHAN_SHUTDOWN_MS = 5_000;
const POLL_INTERVAL_MS = 20;

export function postmasterFile(dataDir: string): string {
  return join(dataDir, 'postmaster.pid');
}

async function readLines(dataDir: string): Promise<string[] | null> {
  const text = await unlessCode(['ENOENT', 'ENOTDIR'], null, () =>
    readFile(postmasterFile(dataDir), 'utf8'),
  );
  return text === null ? null : text.split('\n');
}

/** Whether `pid` is a postmaster and may be that of `dataDir`: when in doubt, yes. */
async function mayBePostmasterOf(pid: number, dataDir: string): Promise<boolean> {
  const command = await commandLine(pid);
  if (command === null) return pidExists(pid);
  // A backend renames itself to `postgres: ...`; a postmaster never does.
  if (command.startsWith('postgres:') || !command.includes('postgres')) return false;
  return !command.includes(' -D ') || `${command} `.includes(` -D ${dataDir} `);
}

/**
 * Postgres takes the lock file of a crashed server for valid when its pid has been given to another process
 * since. Our own pid it takes for stale, because we are its parent. The other lines are kept: with their
 * shared memory key Postgres still finds out, and refuses to start, when backends of the crashed server are
 * at work.
 */
async function disarm(dataDir: string, lines: readonly string[]): Promise<void> {
  await writeFile(postmasterFile(dataDir), [process.pid, ...lines.slice(1)].join('\n'));
}

/** The server that runs on a data directory, or null. A lock file left by a crash is made harmless on the way. */
export async function findPostmaster(dataDir: string): Promise<PostmasterRecord | null> {
  const lines = await readLines(dataDir);
  if (lines === null) return null;
  const [pidLine = '', , , port = '', socketDir = '', listenAddress = ''] = lines;
  const pid = Math.abs(Number.parseInt(pidLine, 10));
  if (!(pid > 0) || pid === process.pid || !pidExists(pid)) return null;
  if (await mayBePostmasterOf(pid, dataDir)) {
    return {
      pid,
      port: Number(port),
      socketDir: socketDir.trim(),
      listenAddress: listenAddress.trim(),
    };
  }
  await disarm(dataDir, lines);
  return null;
}

/** Waits until a server that is not our child has ended; false if it has not within `timeoutMs`. */
export async function postmasterEnds(
  dataDir: string,
  pid: number,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (pidExists(pid) && (await mayBePostmasterOf(pid, dataDir))) {
    if (performance.now() > deadline) return false;
    await pause(POLL_INTERVAL_MS);
  }
  return true;
}

/** Signals a server that is not our child; one that has just ended is no error. */
export async function signalPostmaster(pid: number, signal: NodeJS.Signals): Promise<void> {
  await unlessCode(['ESRCH'], undefined, async () => process.kill(pid, signal));
}

/** Ends the server on a throwaway data directory whose owner is dead, if there is one; its data are not saved. */
export async function endOrphan(dataDir: string): Promise<void> {
  const orphan = await findPostmaster(dataDir);
  if (orphan === null) return;
  await signalPostmaster(orphan.pid, 'SIGQUIT');
  if (await postmasterEnds(dataDir, orphan.pid, ORPHAN_SHUTDOWN_MS)) return;
  await signalPostmaster(orphan.pid, 'SIGKILL');
  await postmasterEnds(dataDir, orphan.pid, ORPHAN_SHUTDOWN_MS);
}
