import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { unlessCode } from './system-error.js';

const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
const OWNER_ONLY = 0o600;
const TAIL_BYTES = 4_096;

/** The file that a server's output is appended to. */
export interface ServerLog {
  readonly path: string;
  /** For the server to inherit. */
  readonly fd: number;
  /** Closes our end; the server keeps its own. */
  close(): Promise<void>;
  /** The end of what was written since the log was opened. */
  tail(): Promise<string>;
}

async function readTail(path: string, openedAt: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(openedAt, size - TAIL_BYTES);
    const buffer = Buffer.alloc(size - start);
    await file.read(buffer, 0, buffer.length, start);
    return buffer.toString('utf8').trim();
  } finally {
    await file.close();
  }
}

async function openFirst(paths: readonly [string, ...string[]]): Promise<[string, FileHandle]> {
  const [path, next, ...others] = paths;
  if (next === undefined) return [path, await open(path, APPEND, OWNER_ONLY)];
  const file = await unlessCode(['EACCES', 'EROFS', 'ELOOP', 'EISDIR'], null, () =>
    open(path, APPEND, OWNER_ONLY),
  );
  return file === null ? openFirst([next, ...others]) : [path, file];
}

/** Opens the first of `paths` that can be written to. */
export async function openServerLog(...paths: [string, ...string[]]): Promise<ServerLog> {
  const [path, file] = await openFirst(paths);
  const { size } = await file.stat();
  return { path, fd: file.fd, close: () => file.close(), tail: () => readTail(path, size) };
}
