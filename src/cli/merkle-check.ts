import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The Merkle digest of a directory, by plain recursion: what the tasks of `signalbox demo` are checked against. It shares
 * no code with merkle.ts, so that a mistake there shows.
 */
export function digestDirectly(directory: string): string {
  const entries = readdirSync(directory, { withFileTypes: true }).map((entry) => ({
    entry,
    name: Buffer.from(entry.name),
  }));
  entries.sort((a, b) => a.name.compare(b.name));
  const parts: Buffer[] = [];
  for (const { entry, name } of entries) {
    const path = join(directory, entry.name);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(name.length);
    const [kind, digest] = entry.isDirectory()
      ? ['d', digestDirectly(path)]
      : entry.isSymbolicLink()
        ? ['l', sha256(readlinkSync(path))]
        : ['f', sha256(readFileSync(path))];
    parts.push(Buffer.from(kind), length, name, Buffer.from(digest, 'hex'));
  }
  return sha256(Buffer.concat(parts));
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
