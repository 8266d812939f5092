import { Command } from 'commander';
import type { NodeState } from '../../graph/drawing.js';
import { readRunTree } from '../../run/run-tree.js';
import { openRun } from '../../run/start-run.js';
import { UsageError } from '../cli-errors.js';
import { openContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { type AnyGraph, loadGraph } from '../graph-modules.js';
import { runSession, type Session } from '../session.js';

interface GraphCommandOptions {
  readonly mermaid?: boolean;
  readonly dot?: boolean;
  readonly graph?: string;
  readonly run?: string;
}

const HELP = `
Examples:
  signalbox graph graph.ts > graph.mmd
  signalbox graph graph.ts --dot | dot -Tsvg > graph.svg
  signalbox graph graph.ts --graph etl --run etl/nightly`;

/** `signalbox graph FILE`: the drawing of a graph. */
export function graphCommand(): Command {
  return new Command('graph')
    .description('print the drawing of a graph; of a run of it, with the states of its nodes')
    .argument('<file>', 'a module that exports a graph')
    .option('--mermaid', 'as a Mermaid flowchart (the default)')
    .option('--dot', "in Graphviz' DOT")
    .option('--graph <name>', 'of a module with several graphs: which one')
    .option('--run <id>', 'of this run')
    .addHelpText('after', HELP)
    .action((file: string, options: GraphCommandOptions, command: Command) =>
      runSession(command, (session) => draw(session, file, options)),
    );
}

async function draw(
  session: Session,
  file: string,
  { mermaid = false, dot = false, graph: name, run }: GraphCommandOptions,
): Promise<ExitCode> {
  if (mermaid && dot) throw new UsageError('A drawing is --mermaid or --dot; give one of them.');
  const { output } = session;
  const { graph } = await loadGraph(file, name);
  const options = run === undefined ? {} : { states: await statesOf(session, graph, run) };
  const drawing = dot ? graph.toDot(options) : graph.toMermaid(options);
  if (output.isJson) {
    const { name, version, hash } = graph;
    await output.printJson({ graph: name, version, hash, ...options, drawing });
  } else {
    await output.print(drawing.trimEnd());
  }
  return EXIT.ok;
}

async function statesOf(
  { globals, output }: Session,
  graph: AnyGraph,
  run: string,
): Promise<Record<string, NodeState>> {
  await using context = await openContext(globals, { output });
  const { id } = openRun(context.store, graph, run);
  const { nodes } = await readRunTree(context.store, id, graph);
  return Object.fromEntries(nodes.map(({ node, statusCode }) => [node, statusCode]));
}
