import { Command, Option } from 'commander';
import { LOCAL_DATA_DIR } from '../context.js';
import { formatDuration, parseDuration } from '../duration.js';
import { collect, parseCount, parseFactor } from '../option-parsers.js';
import type { RunOptions } from '../run-options.js';
import { RUN_TASK_ID } from '../run-scan.js';
import { runSession } from '../session.js';
import { openSource } from '../sources/open-source.js';

const DEFAULT_WORKERS = 16;

/** Short: whoever starts a crashed run again is waiting for it. */
const DEFAULT_LEASE_MS = 15_000;

const HELP = `
FILE is one of:
  a module that exports a graph, in JavaScript or TypeScript
  a module that exports actors and tasks: an iterable, an async iterable, or a function that returns one
  a JSON list of tasks: [{ "id", "action", "toSignalAfter", "body", ... }] or { "tasks": [...] }, times in ISO 8601
  a WfFormat 1.4 or 1.5 workflow, each task performed as a sleep of its recorded runtime, or as its command with --exec

Of a graph a new run is started, or with --run-id the run of that id is gone on with. It ends with the run's outputs as JSON, or
with what failed. Waiting tasks of other runs of the module's graphs are performed as well.

Of tasks, the ids are "RUN-ID.id"; the milestone "RUN-ID.${RUN_TASK_ID}" ends when all have ended. Started again on the same database,
a run goes on where it was interrupted. Built-in actions: sleep { ms }, noop, and with --exec: exec { command: [program, ...], cwd?, env? }.

Without a database it is kept in ${LOCAL_DATA_DIR}.

Examples:
  signalbox run graph.ts --input '{ "url": "https://example.com" }' --watch
  signalbox run graph.ts --input @input.json --run-id nightly
  signalbox run graph.ts --graph etl --handlers ./worker.ts --workers 100 --json
  signalbox run graph.ts --input - --detach < input.json
  signalbox run tasks.json --actor ./actors.ts --exec`;

/** `signalbox run FILE`: a graph, or a whole lot of tasks, from insert to result. */
export function runCommand(): Command {
  const command = new Command('run')
    .description(
      'run a graph, or the tasks of a file; started again, go on where it was interrupted',
    )
    .argument('<file>', 'a module with a graph or tasks, a list of tasks, or a workflow');
  return addTaskOptions(addGraphOptions(addOptions(command)))
    .addHelpText('after', HELP)
    .action((file: string, options: RunOptions, command: Command) =>
      runSession(command, async (session) => (await openSource(file)).run(session, options)),
    );
}

function addOptions(command: Command): Command {
  return command
    .option(
      '--run-id <name>',
      "the run's name (default: a new one for a graph; for tasks the file's base name, and their namespace)",
    )
    .option('--fresh', 'delete what an earlier run of that name left, and start anew')
    .option('--workers <n>', 'handlers at once, for each actor', parseCount, DEFAULT_WORKERS)
    .option('--timeout <duration>', 'give up after this time: exit code 4', parseDuration)
    .addOption(maxDurationOption())
    .option(
      '--drain <duration>',
      'how long handlers may go on after an interrupt (default: 5s)',
      parseDuration,
    );
}

function addGraphOptions(command: Command): Command {
  return command
    .option(
      '--input <json>',
      'of a graph: its input as JSON, @FILE for that of a file, - for standard input',
    )
    .option('--graph <name>', 'of a module with several graphs: which one')
    .option(
      '--handlers <module>',
      'of a graph: a module with the handlers of actions that nodes name (may be given several times)',
      collect,
    )
    .option('--watch', 'of a graph: show its nodes as they go on; without a terminal, every event')
    .option('--detach', 'of a graph: only insert the run, and print its id; workers perform it');
}

function addTaskOptions(command: Command): Command {
  return command
    .option(
      '--actor <module>',
      'of tasks: a module with actors for them (may be given several times)',
      collect,
    )
    .option('--exec', 'of tasks: allow the file to run commands on this machine')
    .option('--speed-up <n>', 'divide the recorded runtimes of a workflow by N', parseFactor);
}

function maxDurationOption(): Option {
  const help = 'how soon the tasks of a crashed run come back';
  return new Option('--max-duration <duration>', help)
    .argParser(parseDuration)
    .default(DEFAULT_LEASE_MS, formatDuration(DEFAULT_LEASE_MS));
}
