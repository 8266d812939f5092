#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { UsageError } from './cli-errors.js';
import { cleanCommand } from './commands/clean.js';
import { countCommand } from './commands/count.js';
import { deleteCommand } from './commands/delete.js';
import { demoCommand } from './commands/demo.js';
import { getCommand } from './commands/get.js';
import { graphCommand } from './commands/graph.js';
import { listCommand } from './commands/list.js';
import { migrateCommand } from './commands/migrate.js';
import { pauseCommand, resumeCommand } from './commands/pause.js';
import { purgeCommand } from './commands/purge.js';
import { runCommand } from './commands/run.js';
import { runsCommand } from './commands/runs.js';
import { schedulesCommand } from './commands/schedules.js';
import { waitCommand } from './commands/wait.js';
import { whyCommand } from './commands/why.js';
import { workerCommand } from './commands/worker.js';
import { workersCommand } from './commands/workers.js';
import { EXIT, EXIT_CODES_HELP } from './exit-codes.js';
import { addGlobalOptions, settleEmbedded } from './global-options.js';
import { Output } from './output.js';

const COMMANDS = [
  migrateCommand,
  runCommand,
  runsCommand,
  graphCommand,
  workerCommand,
  waitCommand,
  getCommand,
  listCommand,
  countCommand,
  whyCommand,
  deleteCommand,
  purgeCommand,
  cleanCommand,
  pauseCommand,
  resumeCommand,
  workersCommand,
  schedulesCommand,
  demoCommand,
];

const PACKAGE = new URL('../../package.json', import.meta.url);

function version(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  return version;
}

function buildProgram(): Command {
  const program = addGlobalOptions(new Command('signalbox'))
    .description('Durable task graphs in Postgres')
    .version(version())
    .configureHelp({ showGlobalOptions: true })
    // Commander would print its complaints itself; here they go the way of all errors.
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  for (const build of COMMANDS) {
    program.addCommand(settled(build(), program));
  }
  return program.addHelpText('after', EXIT_CODES_HELP);
}

/** A command, and those below it, with the settings of the one above. */
function settled(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent).addHelpText('after', EXIT_CODES_HELP);
  for (const below of command.commands) settled(below, command);
  return command;
}

/** Complaints about the command line. Asked-for help and version have been printed, and are fine. */
function reportUsage(error: CommanderError, argv: readonly string[]): void {
  if (error.exitCode === 0) return;
  process.exitCode = EXIT.usage;
  // No command at all: the help, which has been printed, says it better.
  if (error.code === 'commander.help') return;
  const { stdout, stderr } = process;
  const output = new Output({ stdout, stderr, isJson: argv.includes('--json') });
  const message = error.message.replace(/^error: /, '');
  output.error(new UsageError(`${message}\nSee signalbox --help.`, { cause: error }));
}

async function main(argv: readonly string[]): Promise<void> {
  const program = buildProgram();
  const names = program.commands.map((command) => command.name());
  try {
    await program.parseAsync(settleEmbedded(argv, names), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    reportUsage(error, argv);
  }
}

// Whoever reads the output may stop early, as `head` does: nothing is left to do then.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
});

await main(process.argv.slice(2));
// Modules of the user's may have left timers or connections behind.
process.stdout.write('', () => process.exit());
