import { TaskNotFoundError } from '../errors.js';
import { openRun } from '../run/start-run.js';
import { UsageError } from './cli-errors.js';
import { openContext } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { loadGraph } from './graph-modules.js';
import { checkShape } from './graph-start.js';
import { countOf } from './progress-text.js';
import { clean } from './render-run.js';
import type { Session } from './session.js';

export interface RerunCommandOptions {
  readonly graph?: string;
  readonly from: string[];
  readonly preview?: boolean;
}

const FAILED = 'failed';

/** Reruns a run, or says what that would do. UsageError where the module has another shape of the graph than the run. */
export async function rerunRun(
  { globals, output }: Session,
  id: string,
  file: string,
  { graph: name, from, preview = false }: RerunCommandOptions,
): Promise<ExitCode> {
  const names = namesOf(from);
  const { graph } = await loadGraph(file, name);
  await using context = await openContext(globals, { output });
  const run = openRun(context.store, graph, id);
  const task = await context.store.getTask(run.id);
  if (!task) throw new TaskNotFoundError([run.id]);
  checkShape(task, graph);
  const report = await run.rerun({ from: names, preview });
  if (output.isJson) {
    await output.printJson({ run: run.id, preview, ...report });
    return EXIT.ok;
  }
  const { reruns, keeps } = report;
  const would = preview ? 'would run' : 'runs';
  await output.print(
    reruns.length === 0
      ? 'Nothing runs again.'
      : `${countOf(reruns.length, 'node')} ${would} again:`,
  );
  for (const node of reruns) await output.print(clean(`  ${node}`));
  await output.print(`${countOf(keeps.length, 'node')} kept${keeps.length > 0 ? ':' : '.'}`);
  for (const node of keeps) await output.print(clean(`  ${node}`));
  const runId = run.id.slice(graph.name.length + 1);
  if (!preview && reruns.length > 0) {
    output.note(`A worker performs it, or: signalbox run ${file} --run-id ${runId}`);
  }
  return EXIT.ok;
}

function namesOf(from: readonly string[]): 'failed' | string[] {
  const names = from.flatMap((text) => text.split(',')).map((name) => name.trim());
  const [first] = names;
  if (names.length === 1 && first === FAILED) return FAILED;
  if (names.every((name) => name !== '')) return names;
  throw new UsageError('--from names failed, or nodes and items with commas between: load,each/3.');
}
