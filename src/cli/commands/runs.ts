import { Command } from 'commander';
import { cancelRun } from '../../run/cancel-run.js';
import { listRuns, type RunSummary } from '../../run/list-runs.js';
import { readRunTree } from '../../run/run-tree.js';
import { isFailure } from '../../store/status-code.js';
import type { StatusCode } from '../../store/task-store.js';
import { openContext } from '../context.js';
import { formatDuration } from '../duration.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { loadGraph } from '../graph-modules.js';
import { collect, collectStatus, parseCount, STATUS_CODES } from '../option-parsers.js';
import { countOf } from '../progress-text.js';
import { clean, renderRun } from '../render-run.js';
import { type RerunCommandOptions, rerunRun } from '../run-rerun.js';
import { runSession, type Session } from '../session.js';
import { alignRows } from '../table.js';

const DEFAULT_LIMIT = 20;
/** Lines of a run that are shown where not all are asked for. */
const SHOWN_ROWS = 42;

const RERUN_HELP = `
Names of nodes are paths: load, sub/verdict; items of maps: each/3. What runs again is performed by a worker, or by
signalbox run FILE --run-id ID.

Examples:
  signalbox runs rerun etl/nightly graph.ts --from failed --preview
  signalbox runs rerun etl/nightly graph.ts --from load,each/3`;

/** `signalbox runs`: runs of graphs. */
export function runsCommand(): Command {
  return new Command('runs')
    .description('list, show, cancel and rerun runs of graphs')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(cancelCommand())
    .addCommand(rerunCommand());
}

interface ListOptions {
  readonly graph?: string;
  readonly status?: StatusCode[];
  readonly limit: number;
}

function listCommand(): Command {
  return new Command('list')
    .description('list runs, the newest first; with --json, one JSON line each')
    .option('--graph <name>', 'only of this graph')
    .option(
      '--status <code>',
      `only ${STATUS_CODES.join(', ')} (may be given several times); pending until all nodes have ended`,
      collectStatus,
    )
    .option('--limit <n>', 'at most N runs', parseCount, DEFAULT_LIMIT)
    .addHelpText('after', '\nExample:\n  signalbox runs list --graph etl --status aborted')
    .action((options: ListOptions, command: Command) =>
      runSession(command, (session) => list(session, options)),
    );
}

const HEADER = ['RUN', 'VERSION', 'STATUS', 'CREATED', 'TOOK', 'REMARK'];

async function list(
  { globals, output }: Session,
  { graph, status, limit }: ListOptions,
): Promise<ExitCode> {
  await using context = await openContext(globals, { output });
  const runs = await listRuns(context.store, { graph, statusCodes: status, limit });
  if (output.isJson) for (const run of runs) await output.printJson(run);
  else for await (const line of alignRows(HEADER, toRows(runs))) await output.print(line);
  return EXIT.ok;
}

async function* toRows(runs: readonly RunSummary[]): AsyncGenerator<string[], void> {
  for (const { id, version, statusCode, createdAt, finishedAt, status } of runs) {
    yield [
      id,
      String(version),
      statusCode,
      createdAt.toISOString(),
      finishedAt ? formatDuration(finishedAt.getTime() - createdAt.getTime()) : '',
      clean(status ?? ''),
    ];
  }
}

interface ShowOptions {
  readonly graph?: string;
  readonly nodes?: boolean;
}

function showCommand(): Command {
  return new Command('show')
    .description('show the nodes of a run, with their states, durations and errors')
    .argument('<id>', 'the run: <graph>/<runId>')
    .argument('[file]', 'the module of its graph: nodes come in the order of the definition then')
    .option('--graph <name>', "of a module with several graphs: which one (default: the run's)")
    .option('--nodes', `all nodes, also where they are more than ${SHOWN_ROWS - 2}`)
    .addHelpText('after', '\nExample:\n  signalbox runs show etl/nightly graph.ts --nodes')
    .action((id: string, file: string | undefined, options: ShowOptions, command: Command) =>
      runSession(command, (session) => show(session, id, file, options)),
    );
}

async function show(
  { globals, output }: Session,
  id: string,
  file: string | undefined,
  { graph: name = graphOf(id), nodes = false }: ShowOptions,
): Promise<ExitCode> {
  const chosen = file === undefined ? undefined : await loadGraph(file, name);
  await using context = await openContext(globals, { output });
  const tree = await readRunTree(context.store, id, chosen?.graph);
  if (output.isJson) {
    await output.printJson(tree);
    return EXIT.ok;
  }
  const rows = nodes ? Number.POSITIVE_INFINITY : SHOWN_ROWS;
  const columns = Number.POSITIVE_INFINITY;
  const lines = renderRun(tree, { nowMs: Date.now(), columns, rows, rates: new Map() });
  for (const line of lines) await output.print(line);
  if (isFailure(tree) && tree.status !== null) await output.print(clean(tree.status));
  return EXIT.ok;
}

function graphOf(id: string): string {
  return id.slice(0, Math.max(0, id.indexOf('/')));
}

interface CancelOptions {
  readonly reason?: string;
}

function cancelCommand(): Command {
  return new Command('cancel')
    .description('end all of a run that has not ended')
    .argument('<id>', 'the run: <graph>/<runId>')
    .option('--reason <text>', 'kept as the status of what is cancelled')
    .addHelpText('after', "\nExample:\n  signalbox runs cancel etl/nightly --reason 'wrong input'")
    .action((id: string, options: CancelOptions, command: Command) =>
      runSession(command, (session) => cancel(session, id, options)),
    );
}

async function cancel(
  { globals, output }: Session,
  id: string,
  { reason }: CancelOptions,
): Promise<ExitCode> {
  await using context = await openContext(globals, { output });
  // What is no run, a task of that name say, is not touched.
  await readRunTree(context.store, id);
  const options = reason === undefined ? {} : { status: reason };
  const cancelled = await cancelRun(context.store, id, options);
  if (output.isJson) await output.printJson({ cancelled });
  else await output.print(`${countOf(cancelled, 'task')} cancelled.`);
  return EXIT.ok;
}

function rerunCommand(): Command {
  return new Command('rerun')
    .description('make what failed, or what is named, and all after it pending again')
    .argument('<id>', 'the run: <graph>/<runId>')
    .argument('<file>', 'the module of its graph')
    .requiredOption('--from <names>', 'failed, or nodes and items, with commas between', collect)
    .option('--preview', 'only say what would run again, and what is kept')
    .option('--graph <name>', "of a module with several graphs: which one (default: the run's)")
    .addHelpText('after', RERUN_HELP)
    .action((id: string, file: string, options: RerunCommandOptions, command: Command) =>
      runSession(command, (session) =>
        rerunRun(session, id, file, { graph: graphOf(id), ...options }),
      ),
    );
}
