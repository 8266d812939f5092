// Makes a checkout ready to run: installs the dependencies when the lock file is newer than what is
// installed, and builds what changed. Called by the pre-scripts of package.json; safe to call at any time.
import { execSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

const installed = 'node_modules/.package-lock.json';
const isInstalled =
  existsSync(installed) && statSync(installed).mtimeMs >= statSync('package-lock.json').mtimeMs;

if (!isInstalled) {
  console.log('Installing the dependencies (npm ci) ...');
  execSync('npm ci --no-audit --no-fund --loglevel=error', { stdio: 'inherit' });
}
execSync('node node_modules/typescript/bin/tsc --build', { stdio: 'inherit' });
