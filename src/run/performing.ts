import type { EdgeDefinition } from '../graph/node-definition.js';
import { judge, type NodeOutcome, type Verdict } from '../graph/trigger.js';
import type { Json, OwnedTask, TaskInput, TaskStore } from '../store/task-store.js';
import type { ActionContext, ActorResult } from '../worker/actor.js';
import { below, taskId } from './names.js';
import type { Work } from './plan.js';
import type { RunReader } from './run-reader.js';

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

/** A node that runs, with what; or what to return it as. */
export type Judged =
  | {
      readonly input: unknown;
      readonly deps: Readonly<Record<string, unknown>>;
      /** Of a node in the same scope that was judged. */
      readonly outcomeOf: (node: string) => NodeOutcome;
    }
  | { readonly refusal: ActorResult };

/** The id of the task at the path of a node in the scope that is worked in. */
export function idInScope({ run, work }: Performing, path: string): string {
  return taskId(run, below(work.scope.path, path));
}

/**
 * Whether a node runs: its scope must have an input, and the outcomes of its dependencies are judged. All reads of all
 * nodes that are judged in one turn of the event loop go together.
 */
export async function judgeNode(
  performing: Performing,
  edges: readonly EdgeDefinition[],
  options: { readonly valuesOf?: EdgeDefinition } = {},
): Promise<Judged> {
  const { reader, run, work } = performing;
  const isRead = (edge: EdgeDefinition) => !edge.isHidden || edge === options.valuesOf;
  const ids = (read: boolean) =>
    edges.flatMap((edge) =>
      isRead(edge) === read ? edge.nodes.map((node) => idInScope(performing, node)) : [],
    );
  const [full, light] = [ids(true), ids(false)];
  const [scope, outcomes, statuses] = await Promise.all([
    reader.input(run, work.scope),
    full.length > 0 ? reader.outcomes(full) : NONE,
    light.length > 0 ? reader.statuses(light) : NONE,
  ]);
  if ('missing' in scope) return { refusal: refuse(judgeInput(work, scope.missing)) };
  const outcomeOf = (node: string): NodeOutcome => {
    const id = idInScope(performing, node);
    const kind = work.scope.nodes.get(node)?.kind ?? 'task';
    return reader.outcomeOf(kind, outcomes.get(id) ?? statuses.get(id));
  };
  const verdict = judge(edges, outcomeOf);
  return verdict.run
    ? { input: scope.input, deps: verdict.deps, outcomeOf }
    : { refusal: refuse(verdict) };
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
