// Runs every example as its reader would, and fails with the first that fails.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

for (const file of readdirSync('examples').filter((name) => name.endsWith('.ts'))) {
  console.log(`-- examples/${file}`);
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', `examples/${file}`], {
    stdio: 'inherit',
    timeout: 120_000,
  });
  if (status !== 0) {
    console.error(`examples/${file} ended with ${status}`);
    process.exit(1);
  }
}
