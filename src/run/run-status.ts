import { TaskNotFoundError } from '../errors.js';
import type { NodeKind } from '../graph/node.js';
import type { StatusCode, TaskCount, TaskStore } from '../store/task-store.js';
import { actionPrefix, below, INTERNAL, isInternal, taskId } from './names.js';
import type { Plan } from './plan.js';

/** How many there are in each state. */
export type StatusCounts = Readonly<Record<StatusCode, number>>;

export interface RunStatus {
  readonly statusCode: StatusCode;
  readonly status: string | null;
  /** Of nodes and of items of maps; what signalbox adds is not counted. */
  readonly counts: StatusCounts;
}

export interface NodeStatus {
  /** Its path in the run: `sub/verdict`. */
  readonly node: string;
  readonly kind: NodeKind;
  /** A map or sub-graph is in progress from when something of it has begun until it has ended. */
  readonly statusCode: StatusCode;
  readonly status: string | null;
  /** Of a map: its items, as far as they are there. */
  readonly items?: StatusCounts;
}

export const NO_COUNTS: StatusCounts = Object.freeze({
  pending: 0,
  'in-progress': 0,
  completed: 0,
  aborted: 0,
  skipped: 0,
  cancelled: 0,
});

/** The last parts of the actions of maps and sub-graphs, which are nodes for all that. */
const ENDS_OF_NODES: readonly string[] = [`/${INTERNAL.join}`, `/${INTERNAL.run}`];

type Store = Pick<TaskStore, 'getOutcomes' | 'countTasks'>;

export async function readStatus(store: Store, run: string): Promise<RunStatus> {
  const [[own], counts] = await Promise.all([
    store.getOutcomes([run], { results: false }),
    store.countTasks({ idPrefix: `${run}/` }),
  ]);
  if (!own) throw new TaskNotFoundError([run]);
  const { statusCode, status } = own;
  return { statusCode, status, counts: sum(counts.filter(isOfNode)) };
}

function isOfNode({ action }: TaskCount): boolean {
  if (action === null) return false;
  return !isInternal(action) || ENDS_OF_NODES.some((end) => action.endsWith(end));
}

function sum(counts: readonly TaskCount[]): StatusCounts {
  const total = { ...NO_COUNTS };
  for (const { statusCode, count } of counts) total[statusCode] += count;
  return total;
}

export async function readNodes(store: Store, plan: Plan, run: string): Promise<NodeStatus[]> {
  const paths = [...plan.nodes.keys()];
  const [outcomes, counts] = await Promise.all([
    store.getOutcomes(
      paths.map((path) => taskId(run, path)),
      { results: false },
    ),
    store.countTasks({ idPrefix: `${run}/` }),
  ]);
  const found = new Map(outcomes.map((outcome) => [outcome.id, outcome]));
  const byAction = groupByAction(counts);
  return Array.from(plan.nodes, ([node, { kind }]) => {
    const { statusCode = 'pending', status = null } = found.get(taskId(run, node)) ?? {};
    const action = actionPrefix(plan.graph) + node;
    const items = byAction.get(action) ?? [];
    const parts = kind === 'graph' ? partsOf(action, counts) : items;
    const hasBegun = statusCode === 'pending' && parts.some(isBegun);
    const base = { node, kind, statusCode: hasBegun ? 'in-progress' : statusCode, status } as const;
    return kind === 'map' ? { ...base, items: sum(items) } : base;
  });
}

function groupByAction(counts: readonly TaskCount[]): Map<string | null, TaskCount[]> {
  const groups = new Map<string | null, TaskCount[]>();
  for (const one of counts) groups.set(one.action, [...(groups.get(one.action) ?? []), one]);
  return groups;
}

/** What is below a sub-graph. */
function partsOf(action: string, counts: readonly TaskCount[]): TaskCount[] {
  return counts.filter((one) => one.action?.startsWith(below(action, '')));
}

function isBegun({ statusCode }: TaskCount): boolean {
  return statusCode !== 'pending';
}
