import type { EdgeDefinition } from '../graph/node-definition.js';
import { judge, type NodeOutcome, type Verdict } from '../graph/trigger.js';
import type { Json, OwnedTask, TaskInput, TaskStore } from '../store/task-store.js';
import type { ActionContext, ActorResult } from '../worker/actor.js';
import { type MaybePromise, withBoth } from './maybe-promise.js';
import { below, INTERNAL, taskId } from './names.js';
import type { Work } from './plan.js';
import { fieldOf, type Outcomes, type RunReader, type ScopeInput } from './run-reader.js';

/** A handler that lives apart from the graph, its types forgotten. */
export type NodeHandler = { call(context: never): unknown }['call'];

/** One task in the hands of a worker. */
export interface Performing<W extends Work = Work> {
  readonly work: W;
  readonly task: OwnedTask;
  readonly context: ActionContext;
  /** The id of the run. */
  readonly run: string;
  readonly reader: RunReader;
  readonly store: TaskStore;
  readonly handlers: Readonly<Record<string, NodeHandler>>;
}

/** What is handed on to a node that runs. */
interface JudgedEdges {
  readonly deps: Readonly<Record<string, unknown>>;
  /** Of a node in the same scope that was judged. */
  readonly outcomeOf: (node: string) => NodeOutcome;
}

/** What to return a node as that does not run. */
interface Refusal {
  readonly refusal: ActorResult;
}

export type Judged = (JudgedEdges & { readonly input: unknown }) | Refusal;

interface JudgeOptions {
  /** A hidden edge whose values are read all the same. */
  readonly valuesOf?: EdgeDefinition;
}

/** The id of the task at the path of a node in the scope that is worked in. */
export function idInScope({ run, work }: Performing, path: string): string {
  return taskId(run, below(work.scope.path, path));
}

/** What the nodes of the scope that is worked in have for input. */
function scopeInput(performing: Performing): MaybePromise<ScopeInput> {
  const { reader, run, work, task } = performing;
  const ofScope = (stamp: string) =>
    work.scope.path === '' ? reader.input(run, stamp) : reader.subInput(run, work.scope);
  return work.role === 'item' ? itemStamp(performing).then(ofScope) : ofScope(String(task.body));
}

/** The body of an item is its own: the stamp is in the result of what made it. Empty where that was deleted. */
async function itemStamp({ reader, run, work }: Performing): Promise<string> {
  if (work.role !== 'item') throw new RangeError(`${work.path} is no map`);
  const id = taskId(run, below(work.zip.root, INTERNAL.items));
  const [items] = await reader.outcomes([id]);
  const stamp = fieldOf(items?.result ?? null, 'stamp');
  return typeof stamp === 'string' ? stamp : '';
}

/** Whether a node runs: its scope must have an input, and the outcomes of its dependencies are judged. */
export function judgeNode(
  performing: Performing,
  edges: readonly EdgeDefinition[],
  options: JudgeOptions = {},
): MaybePromise<Judged> {
  const judged = judgeEdges(performing, edges, options);
  return withBoth(scopeInput(performing), judged, (scope, ofEdges) => {
    if ('missing' in scope) {
      return { refusal: refuse(judgeInput(performing.work, scope.missing)) };
    }
    if ('refusal' in ofEdges) return ofEdges;
    const { deps, outcomeOf } = ofEdges;
    return { input: scope.input, deps, outcomeOf };
  });
}

/** The same for edges alone. */
export function judgeEdges(
  performing: Performing,
  edges: readonly EdgeDefinition[],
  { valuesOf }: JudgeOptions = {},
): MaybePromise<JudgedEdges | Refusal> {
  const { reader, work } = performing;
  const full: string[] = [];
  const light: string[] = [];
  for (const edge of edges) {
    const nodes = edge.isHidden && edge !== valuesOf ? light : full;
    nodes.push(...edge.nodes);
  }
  const ids = (nodes: readonly string[]) => nodes.map((node) => idInScope(performing, node));
  const outcomes = full.length > 0 ? reader.outcomes(ids(full)) : NONE;
  const statuses = light.length > 0 ? reader.statuses(ids(light)) : NONE;
  return withBoth(outcomes, statuses, (ofFull, ofLight) => {
    const ended = new Map(light.map((node, i) => [node, ofLight[i]]));
    for (const [i, node] of full.entries()) ended.set(node, ofFull[i]);
    const outcomeOf = (node: string): NodeOutcome =>
      reader.outcomeOf(work.scope.nodes.get(node)?.kind ?? 'task', ended.get(node));
    const verdict = judge(edges, outcomeOf);
    return verdict.run ? { deps: verdict.deps, outcomeOf } : { refusal: refuse(verdict) };
  });
}

const NONE: Outcomes = [];

/** The reason of a node whose scope has no input: what became of the sub-graph's. */
function judgeInput({ scope }: Work, outcome: NodeOutcome): Verdict {
  const node = scope.path === '' ? INPUT_NODE : scope.path;
  return judge([{ name: 'input', mode: 'required', isHidden: true, nodes: [node] }], () => outcome);
}

const INPUT_NODE = 'input';

/** What a verdict against a node makes of its task. */
export function refuse(verdict: Verdict): ActorResult {
  if (verdict.run) throw new RangeError('the node runs');
  const { reason, cause } = verdict;
  return {
    statusCode: 'skipped',
    status: reason,
    ...(cause ? { result: { cause: { ...cause } } } : {}),
  };
}

/** The end of one task, taken over by another that stands for it. */
export function follow(outcome: Exclude<NodeOutcome, { statusCode: 'completed' }>): ActorResult {
  const status = outcome.status ?? 'no reason was given';
  if (outcome.statusCode !== 'skipped') return { statusCode: 'aborted', status };
  const { cause } = outcome;
  return { statusCode: 'skipped', status, ...(cause ? { result: { cause: { ...cause } } } : {}) };
}

export function completed(value: unknown, tasks: readonly TaskInput[] = []): ActorResult {
  // What is no JSON is refused when it is stored, and aborts the task.
  const result = value as Json | undefined;
  return { statusCode: 'completed', result, ...(tasks.length > 0 ? { tasks } : {}) };
}
