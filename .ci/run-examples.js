// Runs every example as its reader would, and fails with the first that fails.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const [, shown = ''] = /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync('README.md', 'utf8')) ?? [];
if (shown === '' || !readFileSync('examples/pipeline.ts', 'utf8').startsWith(shown)) {
  console.error('What README.md shows is not how examples/pipeline.ts begins: make them the same');
  process.exit(1);
}

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
