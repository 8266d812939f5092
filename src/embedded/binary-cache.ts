import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EmbeddedServerError } from './embedded-server-error.js';
import { makeOwnedDir, type OwnedDir, RUN_DIR_PREFIX } from './owned-dir.js';
import { ownTag } from './process-tag.js';
import { unlessCode } from './system-error.js';

/*
 * A copy of the binaries that every user may read. It is made in a directory of our own and then renamed, so
 * under its final name it is whole. It does not stay so: cleaners of /tmp remove single files that nobody has
 * read for days. Each use therefore checks every file against a manifest, and a damaged copy is moved away
 * and made anew. As the name can be guessed, a directory that belongs to somebody else, or that others may
 * write to, is refused.
 */

const COPY = 'native';
const MANIFEST = 'manifest.json';
const OTHERS_MAY_WRITE = 0o022;
const READ_BY_ALL = 0o644;
const RUN_BY_ALL = 0o755;

/** Sizes in bytes by relative path. */
type Manifest = Record<string, number>;

async function copyOneFile(source: string, target: string): Promise<number> {
  const { mode, size } = await stat(source);
  await copyFile(source, target);
  await chmod(target, (mode & 0o100) === 0 ? READ_BY_ALL : RUN_BY_ALL);
  return size;
}

/** Leaves symbolic links out: they are made anew in the copy. */
async function copyTree(source: string, target: string, path = ''): Promise<Manifest> {
  const manifest: Manifest = {};
  await mkdir(join(target, path));
  await chmod(join(target, path), RUN_BY_ALL);
  for (const entry of await readdir(join(source, path), { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) Object.assign(manifest, await copyTree(source, target, child));
    if (entry.isFile())
      manifest[child] = await copyOneFile(join(source, child), join(target, child));
  }
  return manifest;
}

async function hasSize(file: string, size: unknown): Promise<boolean> {
  return unlessCode(['ENOENT'], false, async () => (await stat(file)).size === size);
}

async function isIntact(cacheDir: string): Promise<boolean> {
  const text = await unlessCode(['ENOENT'], null, () => readFile(join(cacheDir, MANIFEST), 'utf8'));
  if (text === null) return false;
  const manifest: unknown = JSON.parse(text);
  if (typeof manifest !== 'object' || manifest === null) return false;
  const checks = Object.entries(manifest).map(([path, size]) =>
    hasSize(join(cacheDir, COPY, path), size),
  );
  return (await Promise.all(checks)).every(Boolean);
}

async function refuseForeign(cacheDir: string): Promise<void> {
  const found = await unlessCode(['ENOENT'], null, () => lstat(cacheDir));
  if (found === null) return;
  const isOurs = found.isDirectory() && found.uid === process.geteuid?.();
  if (isOurs && (found.mode & OTHERS_MAY_WRITE) === 0) return;
  throw new EmbeddedServerError(
    'binaries',
    `${cacheDir} is to hold a copy of the Postgres binaries, but it belongs to another user or others may write to it. Remove it.`,
  );
}

/** Moves a damaged copy out of the way and removes it; running servers keep the files that they have open. */
async function discard(cacheDir: string): Promise<void> {
  const bin = await makeOwnedDir(dirname(cacheDir), RUN_DIR_PREFIX, await ownTag(), null);
  await unlessCode(['ENOENT'], undefined, () => rename(cacheDir, join(bin.path, 'damaged')));
  await bin.remove();
}

/** Renames `staging` to `cacheDir`; false if a directory stands there, whether an intact copy or a damaged one. */
async function publish(staging: OwnedDir, cacheDir: string): Promise<boolean> {
  return unlessCode(['EEXIST', 'ENOTEMPTY'], false, async () => {
    await rename(staging.path, cacheDir);
    staging.release();
    return true;
  });
}

async function makeCopy(nativeDir: string, cacheDir: string): Promise<void> {
  const staging = await makeOwnedDir(dirname(cacheDir), RUN_DIR_PREFIX, await ownTag(), null);
  const manifest = await copyTree(nativeDir, join(staging.path, COPY));
  await writeFile(join(staging.path, MANIFEST), JSON.stringify(manifest));
  await chmod(staging.path, RUN_BY_ALL);
  while (!(await publish(staging, cacheDir))) {
    // Another process may have been faster, and its copy is as good.
    if (await isIntact(cacheDir)) return staging.remove();
    await discard(cacheDir);
  }
}

/** The copy of `nativeDir` within `cacheDir`, made or mended if need be. Many processes may call this at once. */
export async function cachedCopy(nativeDir: string, cacheDir: string): Promise<string> {
  await refuseForeign(cacheDir);
  if (!(await isIntact(cacheDir))) await makeCopy(nativeDir, cacheDir);
  return join(cacheDir, COPY);
}
