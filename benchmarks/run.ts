// npm run bench [-- --scenario NAME --rounds N --quick --peers --budgets --database-url URL]
import { mkdir, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { startEmbedded } from 'signalbox/embedded';
import { checkBudgets } from './budgets.js';
import { loadPeers } from './load-peers.js';
import { type Measurement, measure } from './measure.js';
import { toTable } from './report.js';
import { scenarios } from './scenarios/index.js';

const RESULTS = new URL('results/', import.meta.url);

const program = new Command('bench')
  .option('--scenario <name...>', `one or more of: ${scenarios.map(({ name }) => name).join(', ')}`)
  .option('--rounds <n>', 'rounds that count, after one that does not', Number, 3)
  .option('--quick', 'a tenth of the size, one round')
  .option('--peers', 'the peers too; installs them in benchmarks/peers when they are not')
  .option('--budgets', 'check the cost budgets instead, and fail when one is passed')
  .option('--database-url <url>', 'the server to use; default: the embedded one');
const options = program.parse().opts<{
  scenario?: string[];
  rounds: number;
  quick?: boolean;
  peers?: boolean;
  budgets?: boolean;
  databaseUrl?: string;
}>();

const server = options.databaseUrl === undefined ? await startEmbedded() : undefined;
const connectionString = options.databaseUrl ?? server?.connectionString ?? '';
try {
  if (options.budgets) process.exitCode = (await checkBudgets(connectionString)) ? 0 : 1;
  else await runScenarios();
} finally {
  await server?.stop();
}

async function runScenarios(): Promise<void> {
  const chosen = scenarios.filter(
    ({ name }) => !options.scenario || options.scenario.includes(name),
  );
  if (chosen.length === 0) program.error('no such scenario');
  const peers = options.peers ? await loadPeers() : [];
  await mkdir(RESULTS, { recursive: true });
  for (const scenario of chosen) {
    const measurements: Measurement[] = await measure(connectionString, scenario, {
      rounds: options.quick ? 1 : options.rounds,
      size: options.quick ? scenario.size / 10 : scenario.size,
      peers,
    });
    console.log(`\n${scenario.name}: ${scenario.what}\n${toTable(measurements)}`);
    if (!options.quick) {
      const result = { scenario: scenario.name, what: scenario.what, measurements };
      await writeFile(
        new URL(`${scenario.name}.json`, RESULTS),
        `${JSON.stringify(result, null, 2)}\n`,
      );
    }
  }
}
