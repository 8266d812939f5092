import { PermanentError } from '../errors.js';
import { InvalidValueError } from '../graph/graph-errors.js';
import { validateValue } from '../graph/validate-value.js';
import { isFailure } from '../store/status-code.js';
import type { Json, TaskOutcome } from '../store/task-store.js';
import type { ActorResult } from '../worker/actor.js';
import { below } from './names.js';
import {
  completed,
  follow,
  idInScope,
  judgeEdges,
  judgeNode,
  type Performing,
} from './performing.js';
import type { Work } from './plan.js';
import type { NodeFailure } from './run-errors.js';
import { fieldOf } from './run-reader.js';

type Of<Role extends Work['role']> = Performing<Extract<Work, { role: Role }>>;

const FAILURES_IN_STATUS = 5;

/** Works out the input of a sub-graph. Skipped or failed, it is what becomes of the whole sub-graph. */
export async function performInput(performing: Of<'input'>): Promise<ActorResult> {
  const { node } = performing.work;
  const judged = await judgeNode(performing, node.edges);
  if ('refusal' in judged) return judged.refusal;
  const { input, deps } = judged;
  const value = node.input ? await node.input({ input, deps }) : undefined;
  const { graph } = node;
  if (graph.input === null) return completed({ input: value });
  try {
    const subject = `input of graph ${JSON.stringify(graph.name)}`;
    return completed({ input: await validateValue(graph.input, value, subject) });
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    throw new PermanentError(error.message, { cause: error });
  }
}

/** Ends a run, or a sub-graph, all of whose nodes have ended: with its outputs, or with what failed. */
export async function performRun(performing: Of<'run'>): Promise<ActorResult> {
  const { work, reader, run } = performing;
  const { scope } = work;
  const [given, failures, judged] = await Promise.all([
    scope.path === '' ? null : reader.subInput(run, scope),
    failuresOf(performing),
    judgeEdges(performing, scope.graph.outputs),
  ]);
  if (given && 'missing' in given) return follow(given.missing);
  if (failures.length > 0) return failed(describe(failures), failures);
  if ('deps' in judged) return completed(judged.deps);
  return failed(`its outputs cannot be had: ${judged.refusal.status}`, []);
}

function failed(status: string, failures: readonly NodeFailure[]): ActorResult {
  return {
    statusCode: 'aborted',
    status,
    result: { failures: failures.map((one) => ({ ...one })) },
  };
}

function describe(failures: readonly NodeFailure[]): string {
  const shown = failures
    .slice(0, FAILURES_IN_STATUS)
    .map(({ node, status }) => `${JSON.stringify(node)} failed: ${status}`);
  const rest = failures.length - shown.length;
  return rest > 0 ? `${shown.join('; ')}; and ${rest} more` : shown.join('; ');
}

/** The nodes that failed and whose failure nothing handles. If all sinks completed, and nothing could, there are none. */
async function failuresOf(performing: Of<'run'>): Promise<NodeFailure[]> {
  const { scope } = performing.work;
  if (!scope.canHandle) {
    if (await areCompleted(performing, scope.sinks)) return [];
  }
  const ids = [...scope.nodes.keys()].filter((id) => !scope.handled.has(id));
  const tasks = ids.map((id) => idInScope(performing, id));
  const outcomes = await performing.reader.statuses(tasks);
  return ids.flatMap((id, i) => {
    const outcome = outcomes[i];
    return outcome && isFailure(outcome) ? failuresBelow(below(scope.path, id), outcome) : [];
  });
}

/** Sinks that are outputs are read with their results, for those are read all the same. */
async function areCompleted(performing: Of<'run'>, sinks: readonly string[]): Promise<boolean> {
  const { work, reader } = performing;
  const shown = new Set(
    work.scope.graph.outputs.flatMap(({ nodes, isHidden }) => (isHidden ? [] : nodes)),
  );
  const ids = (isShown: boolean) =>
    sinks.flatMap((id) => (shown.has(id) === isShown ? [idInScope(performing, id)] : []));
  const [full, light] = [ids(true), ids(false)];
  const outcomes = await Promise.all([
    full.length > 0 ? reader.outcomes(full) : [],
    light.length > 0 ? reader.statuses(light) : [],
  ]);
  return outcomes.flat().every((outcome) => outcome?.statusCode === 'completed');
}

/** Of a sub-graph, the nodes in it. */
function failuresBelow(node: string, { status, statusCode, result }: TaskOutcome): NodeFailure[] {
  const below = readFailures(result);
  return below.length > 0 ? below : [{ node, status: status ?? statusCode }];
}

/** What the result of a run that failed says of its nodes. */
export function readFailures(result: Json): NodeFailure[] {
  const failures = fieldOf(result, 'failures');
  if (!Array.isArray(failures)) return [];
  return failures.map((one: Json) => ({
    node: String(fieldOf(one, 'node')),
    status: String(fieldOf(one, 'status')),
  }));
}
