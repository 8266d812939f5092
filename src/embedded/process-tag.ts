import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errorCode } from './system-error.js';

/*
 * A process tag names one process for good: `<pid namespace>-<pid>-<start time>`. The start time tells a
 * process from a later one that was given its pid. The namespace tells two containers apart that share a
 * folder: in each, the other's pids mean nothing, so a tag from elsewhere always counts as alive and what it
 * owns is left alone.
 */

/** Matches a tag; no anchors, so that a directory name can hold one. */
export const PROCESS_TAG_PATTERN = '[0-9a-z]+-[0-9]+-[0-9a-z]+';

const UNKNOWN = '0';
const FIELDS_BEFORE_START_TIME = 19;
const run = promisify(execFile);

/** The fields of /proc/<pid>/stat from the state on: the name before it may itself hold spaces and brackets. */
async function readStatFields(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

async function linuxStartTime(pid: number): Promise<string> {
  const fields = await readStatFields(pid);
  const isZombie = fields[0] === 'Z' || fields[0] === 'X';
  return isZombie ? UNKNOWN : Number(fields[FIELDS_BEFORE_START_TIME]).toString(36);
}

async function psStartTime(pid: number): Promise<string> {
  const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)], {
    env: { LC_ALL: 'C' },
  });
  const startedAtMs = Date.parse(stdout.trim());
  return Number.isNaN(startedAtMs) ? UNKNOWN : (startedAtMs / 1000).toString(36);
}

/** When a process started, in a unit of the platform's; null when that cannot be read. A zombie gives '0'. */
async function startTime(pid: number): Promise<string | null> {
  try {
    return process.platform === 'linux' ? await linuxStartTime(pid) : await psStartTime(pid);
  } catch {
    return null;
  }
}

async function pidNamespace(): Promise<string> {
  try {
    const inode = /\d+/.exec(await readlink('/proc/self/ns/pid'));
    return inode === null ? UNKNOWN : Number(inode[0]).toString(36);
  } catch {
    return UNKNOWN;
  }
}

/** Whether a process with this pid exists, ours or another user's. A zombie counts as existing. */
export function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** The tag of this process. */
export async function ownTag(): Promise<string> {
  const [namespace, startedAt] = await Promise.all([pidNamespace(), startTime(process.pid)]);
  return `${namespace}-${process.pid}-${startedAt ?? UNKNOWN}`;
}

/** Whether the process that bore this tag still runs. True as well when that cannot be known. */
export async function isTagAlive(tag: string): Promise<boolean> {
  const [namespace, pid, startedAt] = tag.split('-');
  if (namespace !== (await pidNamespace())) return true;
  if (!pidExists(Number(pid))) return false;
  const found = await startTime(Number(pid));
  return found === null || startedAt === UNKNOWN || found === startedAt;
}

/** The command line of a running process, words joined by blanks; null when there is none or it cannot be read. */
export async function commandLine(pid: number): Promise<string | null> {
  try {
    if (process.platform === 'linux') {
      const words = await readFile(`/proc/${pid}/cmdline`, 'utf8');
      return words.replaceAll('\0', ' ').trim();
    }
    const { stdout } = await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]);
    return stdout.trim();
  } catch {
    return null;
  }
}
