import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { OpenContestant } from './contestant.js';

const PEERS = new URL('peers/', import.meta.url);

/**
 * The peers' contestants. Installs the packages when they are missing or older than the lock file. The module is
 * named at run time only, so that nothing else needs it: types are checked by a tsconfig of its own.
 *
 * Rejects rather than install through a symbolic link: `npm ci` empties what is there first, which would be somebody
 * else's.
 */
export async function loadPeers(): Promise<readonly OpenContestant[]> {
  if (!isInstalled()) {
    refuseLink();
    console.error('Installing the peers (npm ci in benchmarks/peers) ...');
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: fileURLToPath(PEERS),
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const module: { peers: readonly OpenContestant[] } = await import(
    new URL('index.ts', PEERS).href
  );
  return module.peers;
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
