import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PEERS = new URL('peers/', import.meta.url);

/**
 * The URL of the module of the peers. Installs their packages when they are missing or older than the lock file. It is
 * named at run time only, so that nothing else needs it: types are checked by a tsconfig of its own.
 *
 * Throws rather than install through a symbolic link: `npm ci` empties what is there first, which would be somebody
 * else's.
 */
export function findPeers(): string {
  if (!isInstalled()) {
    refuseLink();
    console.error('Installing the peers (npm ci in benchmarks/peers) ...');
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: fileURLToPath(PEERS),
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return new URL('index.ts', PEERS).href;
}

function refuseLink(): void {
  const installed = fileURLToPath(new URL('node_modules', PEERS));
  if (lstatSync(installed, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new Error(
      `${installed} is a link to packages older than the lock file; remove the link, and they are installed here.`,
    );
  }
}

/** npm writes its hidden lock file last. */
function isInstalled(): boolean {
  const installed = new URL('node_modules/.package-lock.json', PEERS);
  const lock = new URL('package-lock.json', PEERS);
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;
}
