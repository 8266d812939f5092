import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { OpenContestant } from './contestant.js';

const PEERS = new URL('peers/', import.meta.url);

/**
 * The peers' contestants. Installs the packages when they are missing or older than the lock file. The module is
 * named at run time only, so that nothing else needs it: types are checked by a tsconfig of its own.
 */
export async function loadPeers(): Promise<readonly OpenContestant[]> {
  if (!isInstalled()) {
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

/** npm writes its hidden lock file last. */
function isInstalled(): boolean {
  const installed = new URL('node_modules/.package-lock.json', PEERS);
  const lock = new URL('package-lock.json', PEERS);
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;
}
