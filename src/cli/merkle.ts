import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

/*
 * The Merkle digest of a directory tree:
 *
 *   file       sha256 of its content
 *   link       sha256 of the text of its target; it is not followed
 *   directory  sha256 over its entries in the order of their names' UTF-8 bytes: for each a byte for its kind, the length
 *              of its name (4 bytes, big-endian), the name, and its digest (32 bytes)
 *
 * Times, owners and modes do not count. Anything else (sockets, devices, FIFOs) has no content to digest and is an error.
 */

export type EntryKind = 'file' | 'link' | 'directory';

/** A name in a directory. */
export interface Entry {
  readonly name: string;
  readonly kind: EntryKind;
}

export interface DigestedEntry extends Entry {
  /** 64 hexadecimal digits. */
  readonly digest: string;
}

/** A place in a tree. `path` is relative to its root, which is itself `.`; `entries` are those of a directory. */
export interface TreeNode {
  readonly path: string;
  readonly kind: EntryKind;
  readonly entries: readonly Entry[];
}

const KIND_BYTES: Readonly<Record<EntryKind, number>> = Object.freeze({
  file: 0x66,
  link: 0x6c,
  directory: 0x64,
});

/** One for all files: a fresh buffer for each cost more than the reading. It is filled and digested in one go. */
const PIECE = Buffer.allocUnsafeSlow(256 * 1024);

/** The digest of a directory with these entries, in whatever order they come. */
export function combineDigests(entries: readonly DigestedEntry[]): string {
  const named = entries.map((entry) => ({ ...entry, nameBytes: Buffer.from(entry.name) }));
  named.sort((a, b) => Buffer.compare(a.nameBytes, b.nameBytes));
  const hash = createHash('sha256');
  for (const { kind, nameBytes, digest } of named) {
    const head = Buffer.alloc(5);
    head.writeUInt8(KIND_BYTES[kind], 0);
    head.writeUInt32BE(nameBytes.length, 1);
    hash.update(head).update(nameBytes).update(Buffer.from(digest, 'hex'));
  }
  return hash.digest('hex');
}

/** The digest of a file's content, or of a link's target. The file system's own error where it cannot be read. */
export async function digestLeaf(path: string, kind: 'file' | 'link'): Promise<string> {
  return kind === 'link' ? sha256(await readlink(path)) : digestFile(path);
}

/**
 * Reads at once, without the thread pool, whose hops take longer than a small file. But a turn of the event
 * loop lies before each piece, so that the database is not kept waiting.
 */
async function digestFile(path: string): Promise<string> {
  await nextTurn();
  const file = openSync(path, 'r');
  try {
    const hash = createHash('sha256');
    for (let length = readSync(file, PIECE); length > 0; length = readSync(file, PIECE)) {
      hash.update(PIECE.subarray(0, length));
      if (length === PIECE.length) await nextTurn();
    }
    return hash.digest('hex');
  } finally {
    closeSync(file);
  }
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Every place of a tree, each directory before what it holds. The file system's own error where one cannot be read. */
export async function* walkTree(root: string): AsyncGenerator<TreeNode, void> {
  const directories = ['.'];
  for (let path = directories.pop(); path !== undefined; path = directories.pop()) {
    const entries = await readEntries(root, path);
    yield { path, kind: 'directory', entries };
    for (const { name, kind } of entries) {
      const child = join(path, name);
      if (kind === 'directory') directories.push(child);
      else yield { path: child, kind, entries: [] };
    }
  }
}

async function readEntries(root: string, path: string): Promise<Entry[]> {
  const found = await readdir(join(root, path), { withFileTypes: true });
  return found.map((entry) => {
    const kind = kindOf(entry);
    if (kind !== null) return { name: entry.name, kind };
    const place = join(root, path, entry.name);
    throw new Error(`${place} is neither a file, a directory nor a symbolic link.`);
  });
}

function kindOf(found: {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}): EntryKind | null {
  if (found.isFile()) return 'file';
  if (found.isDirectory()) return 'directory';
  return found.isSymbolicLink() ? 'link' : null;
}
