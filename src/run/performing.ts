import type { EdgeDefinition } from '../graph/node-definition.js';
import { judge, type NodeOutcome, type Verdict } from '../graph/trigger.js';
import type { Json, OwnedTask, TaskInput, TaskStore } from '../store/task-store.js';
import type { ActionContext, ActorResult } from '../worker/actor.js';
import { below, INTERNAL, taskId } from './names.js';
import type { Work } from './plan.js';
import { fieldOf, type RunReader, type ScopeInput } from './run-reader.js';

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
export async function scopeInput(performing: Performing): Promise<ScopeInput> {
  const { reader, run, work, task } = performing;
  if (work.scope.path !== '') return reader.subInput(task, run, work.scope);
  return reader.input(run, await stampOf(performing));
}

/** Of items: the body is theirs, the stamp in the result of what made them. */
async function stampOf({ reader, run, work, task }: Performing): Promise<string> {
  if (work.role !== 'item') return String(task.body);
  const id = taskId(run, below(work.zip.root, INTERNAL.items));
  const stamp = fieldOf((await reader.outcomes(task, [id])).get(id)?.result ?? null, 'stamp');
  return String(stamp ?? '');
}

/** Whether a node runs: its scope must have an input, and the outcomes of its dependencies are judged. */
export async function judgeNode(
  performing: Performing,
  edges: readonly EdgeDefinition[],
  options: JudgeOptions = {},
): Promise<Judged> {
  const scope = await scopeInput(performing);
  if ('missing' in scope) {
    return { refusal: refuse(judgeInput(performing.work, scope.missing)) };
  }
  const judged = await judgeEdges(performing, edges, options);
  return 'refusal' in judged ? judged : { input: scope.input, ...judged };
}

/** The same for edges alone. */
export async function judgeEdges(
  performing: Performing,
  edges: readonly EdgeDefinition[],
  options: JudgeOptions = {},
): Promise<JudgedEdges | Refusal> {
  const { reader, task, work } = performing;
  const isRead = (edge: EdgeDefinition) => !edge.isHidden || edge === options.valuesOf;
  const ids = (read: boolean) =>
    edges.flatMap((edge) =>
      isRead(edge) === read ? edge.nodes.map((node) => idInScope(performing, node)) : [],
    );
  const [full, light] = [ids(true), ids(false)];
  const [outcomes, statuses] = await Promise.all([
    full.length > 0 ? reader.outcomes(task, full) : NONE,
    light.length > 0 ? reader.statuses(task, light) : NONE,
  ]);
  const outcomeOf = (node: string): NodeOutcome => {
    const id = idInScope(performing, node);
    const kind = work.scope.nodes.get(node)?.kind ?? 'task';
    return reader.outcomeOf(kind, outcomes.get(id) ?? statuses.get(id));
  };
  const verdict = judge(edges, outcomeOf);
  return verdict.run ? { deps: verdict.deps, outcomeOf } : { refusal: refuse(verdict) };
}

const NONE: ReadonlyMap<string, never> = new Map<string, never>();

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
