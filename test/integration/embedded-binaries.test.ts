import { execFile } from 'node:child_process';
import { chmod, cp, lstat, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { locateNativeDir, prepareBinaries } from '../../src/embedded/binaries.js';
import { EmbeddedServerError } from '../../src/embedded/index.js';
import { chooseTempFolder } from '../../src/embedded/owned-dir.js';
import { chooseRunAs, firstUnreachable } from '../../src/embedded/run-as.js';

const IS_ROOT = process.geteuid?.() === 0;
const FOLDER = await chooseTempFolder(await chooseRunAs());
const run = promisify(execFile);

async function tempDir(): Promise<string> {
  const dir = await realpath(await mkdtemp(join(FOLDER, 'signalbox-test-')));
  await chmod(dir, 0o755);
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

describe('the binaries', () => {
  async function copyOfPackage(): Promise<string> {
    const packageDir = join(await tempDir(), 'package');
    const isNoLink = async (path: string) => !(await lstat(path)).isSymbolicLink();
    await cp(dirname(locateNativeDir()), packageDir, { recursive: true, filter: isNoLink });
    return join(packageDir, 'native');
  }

  async function versionOf(postgres: string): Promise<string> {
    return (await run(postgres, ['--version'])).stdout;
  }

  test('get the library links that npm did not make', async () => {
    const nativeDir = await copyOfPackage();
    const cacheFolder = await tempDir();
    const { postgres } = await prepareBinaries({ nativeDir, runAs: null, cacheFolder });
    expect(postgres).toBe(join(nativeDir, 'bin', 'postgres'));
    expect(await versionOf(postgres)).toContain('PostgreSQL');
  });

  test.runIf(IS_ROOT)(
    'are copied when the server may not enter the package, and the copy is mended',
    async () => {
      const nativeDir = await copyOfPackage();
      await chmod(dirname(nativeDir), 0o700);
      const request = { nativeDir, runAs: await chooseRunAs(), cacheFolder: await tempDir() };
      const { postgres, initdb } = await prepareBinaries(request);
      expect(postgres.startsWith(request.cacheFolder)).toBe(true);
      expect(await firstUnreachable(postgres, request.runAs)).toBeNull();
      await rm(initdb);
      await prepareBinaries(request);
      expect(await versionOf(initdb)).toContain('PostgreSQL');
      expect(await readdir(request.cacheFolder)).toHaveLength(1);
    },
  );

  test('are reported missing, with the remedy, on a platform that has none', () => {
    const locate = () => locateNativeDir('plan9-mips');
    expect(locate).toThrow(EmbeddedServerError);
    expect(locate).toThrow(/plan9-mips.*connectionString/);
  });
});
