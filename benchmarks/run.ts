// npm run bench [-- --scenario NAME --rounds N --quick --peers --profile --chart --budgets --out DIR --database-url URL]
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import { checkBudgets } from './budgets.js';
import { writeChart } from './chart.js';
import { closeAll, openContestants } from './open-contestants.js';
import { writeProfile } from './profile.js';
import { toReport } from './report.js';
import { writeResult } from './result.js';
import { runScenario } from './run-scenario.js';
import type { Scenario } from './scenario.js';
import { scenarios } from './scenarios/index.js';
import { openServer } from './server.js';

const RESULTS = new URL('results/', import.meta.url);
/** Where the docs look for it. */
const CHART = new URL('../docs/images/benchmark.svg', import.meta.url);

const program = new Command('bench')
  .option('--scenario <name...>', `one or more of: ${scenarios.map(({ name }) => name).join(', ')}`)
  .option('--rounds <n>', 'rounds that count, after one that does not', Number, 3)
  .option('--quick', 'small sizes, one round; nothing is written without --out')
  .option('--peers', 'the peers too; installs them in benchmarks/peers when they are not')
  .option('--profile', 'write where the time of a task goes instead; needs one --scenario')
  .option('--chart', 'draw the results that are there instead')
  .option('--budgets', 'check the cost budgets instead, and fail when one is passed')
  .option(
    '--out <folder>',
    'where results are written and read; and the chart; default: benchmarks/results, docs/images',
  )
  .option('--database-url <url>', 'the server to use; default: the embedded one');
const options = program.parse().opts<{
  scenario?: string[];
  rounds: number;
  quick?: boolean;
  peers?: boolean;
  profile?: boolean;
  chart?: boolean;
  budgets?: boolean;
  out?: string;
  databaseUrl?: string;
}>();
const folder = options.out ? new URL(`${pathToFileURL(resolve(options.out))}/`) : RESULTS;
const chart = options.out ? new URL('benchmark.svg', folder) : CHART;

if (options.chart) await writeChart(folder, chart);
else await withServer();

async function withServer(): Promise<void> {
  const chosen = choose();
  const server = await openServer(options.databaseUrl);
  try {
    const { connectionString } = server;
    if (options.budgets) process.exitCode = (await checkBudgets(connectionString)) ? 0 : 1;
    else if (options.profile) await profile(connectionString, chosen);
    else await run(connectionString, chosen);
  } finally {
    await server.stop();
  }
}

function choose(): Scenario[] {
  const names = options.scenario;
  if (names === undefined) return scenarios.filter(({ onlyByName }) => !onlyByName);
  const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown.length > 0) program.error(`no such scenario: ${unknown.join(', ')}`);
  return scenarios.filter(({ name }) => names.includes(name));
}

async function profile(connectionString: string, chosen: readonly Scenario[]): Promise<void> {
  const [scenario] = chosen;
  if (!scenario || chosen.length > 1) return program.error('--profile needs one --scenario');
  const size = options.quick ? scenario.quickSize : scenario.size;
  console.log(await writeProfile(folder, { connectionString, scenario, size }));
}

async function run(connectionString: string, chosen: readonly Scenario[]): Promise<void> {
  const isQuick = options.quick ?? false;
  const isComparing = chosen.some(({ compares }) => compares);
  const peers = options.peers ?? false;
  const contestants = isComparing ? await openContestants(connectionString, { peers }) : [];
  try {
    for (const scenario of chosen) {
      const { rounds } = options;
      const result = await runScenario(scenario, {
        connectionString,
        contestants,
        rounds,
        isQuick,
      });
      console.log(`\n${toReport(result)}`);
      if (!isQuick || options.out) await writeResult(folder, result);
    }
  } finally {
    await closeAll(contestants);
  }
  if (!isQuick && options.scenario === undefined) await writeChart(folder, chart);
}
