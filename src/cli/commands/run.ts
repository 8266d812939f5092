import { Command, Option } from 'commander';
import type { Actor } from '../../worker/actor.js';
import { builtinActor } from '../builtin-actor.js';
import { UsageError } from '../cli-errors.js';
import { LOCAL_DATA_DIR, openContext } from '../context.js';
import { formatDuration, parseDuration } from '../duration.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { loadActors } from '../modules.js';
import { collect, parseCount, parseFactor } from '../option-parsers.js';
import { performRun } from '../perform-run.js';
import { formatReport, isFailure } from '../run-report.js';
import { RUN_TASK_ID, scanRun } from '../run-scan.js';
import { defaultRunId, readRunSource } from '../run-source.js';
import { startRun } from '../run-start.js';
import { runSession, type Session } from '../session.js';
import { DEFAULT_DRAIN_MS } from '../working.js';

interface RunOptions {
  actor?: string[];
  exec?: boolean;
  speedUp: number;
  runId?: string;
  fresh?: boolean;
  workers: number;
  timeout?: number;
  maxDuration: number;
  drain?: number;
}

const DEFAULT_WORKERS = 16;

/** Short: whoever starts a crashed run again is waiting for it. */
const DEFAULT_LEASE_MS = 15_000;

const HELP = `
FILE is one of:
  a JSON list of tasks: [{ "id", "action", "toSignalAfter", "body", ... }] or { "tasks": [...] }, times in ISO 8601
  a WfFormat 1.4 or 1.5 workflow, each task performed as a sleep of its recorded runtime, or as its command with --exec
  a module that exports actors and tasks: an iterable, an async iterable, or a function that returns one

Built-in actions: sleep { ms }, noop, and with --exec: exec { command: [program, ...], cwd?, env? }.

The tasks get ids "RUN-ID.id"; the milestone "RUN-ID.${RUN_TASK_ID}" ends when all have ended. Started again on the same database,
a run goes on where it was interrupted. Without a database it is kept in ${LOCAL_DATA_DIR}.`;

/** `signalbox run FILE`: a whole graph, from insert to result. */
export function runCommand(): Command {
  return new Command('run')
    .description('perform the tasks of a file; started again, go on where it was interrupted')
    .argument('<file>', 'a list of tasks, a workflow, or a module')
    .option(
      '--actor <module>',
      'a module with actors for the tasks (may be given several times)',
      collect,
    )
    .option('--exec', 'allow the file to run commands on this machine')
    .option('--speed-up <n>', 'divide the recorded runtimes of a workflow by N', parseFactor, 1)
    .option('--run-id <name>', "the run's name and namespace (default: the file's base name)")
    .option('--fresh', 'delete what an earlier run of that name left, and start anew')
    .option('--workers <n>', 'handlers at once, for each actor', parseCount, DEFAULT_WORKERS)
    .option('--timeout <duration>', 'give up after this time: exit code 4', parseDuration)
    .addOption(maxDurationOption())
    .option(
      '--drain <duration>',
      'how long handlers may go on after an interrupt (default: 5s)',
      parseDuration,
    )
    .addHelpText('after', HELP)
    .action((file: string, options: RunOptions, command: Command) =>
      runSession(command, (session) => run(session, file, options)),
    );
}

async function run(session: Session, file: string, options: RunOptions): Promise<ExitCode> {
  const { globals, output, interrupted } = session;
  const {
    speedUp,
    exec = false,
    fresh = false,
    workers,
    timeout,
    maxDuration,
    drain = DEFAULT_DRAIN_MS,
  } = options;
  const runId = checkRunId(options.runId ?? defaultRunId(file));
  const source = await readRunSource(file, { speedUp, exec });
  const actors = withBuiltins([...source.actors, ...(await loadActors(options.actor ?? []))], exec);
  await using context = await openContext(globals, { output, fallback: 'kept' });
  await context.box.migrate();
  const store = context.store.withPrefix(runId);
  const performed = new Set(actors.flatMap(({ actions }) => actions));
  const scan = scanRun(source.tasks, { performed, interrupted });
  const start = await startRun(store, scan, { runId, fresh });
  const report = await performRun(session, store, actors, {
    runId,
    start,
    isKept: !context.isTemporary,
    workers,
    maxDurationMs: maxDuration,
    drainMs: drain,
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  });
  if (output.isJson) await output.printJson(report);
  else for (const line of formatReport(report)) await output.print(line);
  return report.failed.some(isFailure) ? EXIT.failed : EXIT.ok;
}

function maxDurationOption(): Option {
  const help = 'how soon the tasks of a crashed run come back';
  return new Option('--max-duration <duration>', help)
    .argParser(parseDuration)
    .default(DEFAULT_LEASE_MS, formatDuration(DEFAULT_LEASE_MS));
}

/** A dot would make the run's namespace lie inside another's. */
function checkRunId(runId: string): string {
  if (runId !== '' && !runId.includes('.')) return runId;
  throw new UsageError(
    `The run id ${JSON.stringify(runId)} must not be empty or hold a dot. Choose another with --run-id.`,
  );
}

/** Actions of the user's go before built-in ones of the same name. */
function withBuiltins(actors: readonly Actor[], allowExec: boolean): Actor[] {
  const taken = new Set<string>();
  for (const action of actors.flatMap((actor) => actor.actions)) {
    if (taken.has(action))
      throw new UsageError(`Two actors perform ${JSON.stringify(action)}; a run needs one.`);
    taken.add(action);
  }
  const builtin = builtinActor({ allowExec, except: taken });
  return builtin ? [...actors, builtin] : [...actors];
}
