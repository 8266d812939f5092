import type { Run } from '../run/run.js';
import { type RunTree, readRunTree } from '../run/run-tree.js';
import { isFailure } from '../store/status-code.js';
import type { TaskStore } from '../store/task-store.js';
import { collectResult } from './collect-result.js';
import { formatDuration } from './duration.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { AnyGraph } from './graph-modules.js';
import type { GraphStart } from './graph-start.js';
import { countOf, formatCount } from './progress-text.js';
import { clean } from './render-run.js';
import type { Session } from './session.js';

export interface GraphReportOptions {
  readonly run: Run<unknown>;
  readonly state: GraphStart['state'];
  readonly graph: AnyGraph;
  readonly file: string;
}

/** Of each map's results so many are printed. */
const SHOWN_RESULTS = 1_000;
const SHOWN_NODES = 20;

/** Says what a run that has ended came to: its outputs, or what failed and what was skipped for that. */
export async function reportGraphRun(
  session: Session,
  store: TaskStore,
  options: GraphReportOptions,
): Promise<ExitCode> {
  const tree = await readRunTree(store, options.run.id, options.graph);
  if (tree.statusCode !== 'completed') return reportFailure(session, tree, options);
  return reportOutputs(session, tree, options);
}

async function reportOutputs(
  { output }: Session,
  tree: RunTree,
  { run, state }: GraphReportOptions,
): Promise<ExitCode> {
  const { result, cut } = await collectResult(await run.result(), SHOWN_RESULTS);
  if (output.isJson) {
    await output.printJson({ ...headOf(tree), state, result, ...(cut.length > 0 ? { cut } : {}) });
    return EXIT.ok;
  }
  output.note(
    state === 'ended'
      ? `Run ${tree.id} had completed already.`
      : `Run ${tree.id} completed after ${formatDuration(secondsOf(tree) * 1_000)}.`,
  );
  await output.print(JSON.stringify(result, null, 2));
  for (const { path, shown, total } of cut) {
    output.note(`${path} shows the first ${formatCount(shown)} of ${countOf(total, 'result')}.`);
  }
  return EXIT.ok;
}

async function reportFailure(
  { output }: Session,
  tree: RunTree,
  { state, file }: GraphReportOptions,
): Promise<ExitCode> {
  const failures = failedNodes(tree);
  const skipped = tree.nodes.filter(({ statusCode }) => statusCode === 'skipped');
  if (output.isJson) {
    const remarks = (nodes: RunTree['nodes']) =>
      nodes.map(({ node, statusCode, status }) => ({ node, statusCode, status }));
    const { status } = tree;
    const found = { failures: remarks(failures), skipped: remarks(skipped) };
    await output.printJson({ ...headOf(tree), state, status, ...found });
    return EXIT.failed;
  }
  for (const line of formatFailure(tree)) await output.print(line);
  output.note(`Mend the cause, then: signalbox runs rerun ${tree.id} ${file} --from failed`);
  return EXIT.failed;
}

function headOf(tree: RunTree): object {
  return { run: tree.id, statusCode: tree.statusCode, seconds: secondsOf(tree) };
}

/** From when the first of its tasks began, whoever performed it. */
function secondsOf({ startedAt, finishedAt }: RunTree): number {
  if (!startedAt || !finishedAt) return 0;
  return Math.max(0, (finishedAt.getTime() - startedAt.getTime()) / 1_000);
}

/** A sub-graph that failed because of what is in it is not named besides that. */
function failedNodes({ nodes }: RunTree): RunTree['nodes'] {
  const failed = nodes.filter(isFailure);
  return failed.filter(
    ({ node, kind }) =>
      kind !== 'graph' || !failed.some((other) => other.node.startsWith(`${node}/`)),
  );
}

/** What became of a run that did not complete, in lines for people. */
function formatFailure(tree: RunTree): string[] {
  const failed = failedNodes(tree);
  const skipped = tree.nodes.filter(({ statusCode }) => statusCode === 'skipped');
  const what = tree.statusCode === 'aborted' ? 'failed' : `is ${tree.statusCode}`;
  return [
    clean(`Run ${tree.id} ${what}${tree.status === null ? '' : `: ${tree.status}`}`),
    ...nodeLines(failed, 'failed'),
    ...nodeLines(skipped, 'skipped'),
  ];
}

function nodeLines(nodes: RunTree['nodes'], noun: string): string[] {
  const rest = nodes.length - SHOWN_NODES;
  return [
    ...nodes
      .slice(0, SHOWN_NODES)
      .map(({ node, statusCode, status }) =>
        clean(`  ${statusCode}  ${node}  ${status ?? ''}`).trimEnd(),
      ),
    ...(rest > 0 ? [`  and ${formatCount(rest)} more ${noun}`] : []),
  ];
}
