import { TaskNotFoundError } from '../errors.js';
import type { Progress } from '../graph/context.js';
import type { NodeKind } from '../graph/node.js';
import type { StatusCode, TaskCount, TaskStore } from '../store/task-store.js';
import { actionPrefix, below, INTERNAL, isInternal, taskId } from './names.js';
import type { Plan } from './plan.js';

/** How many there are in each state. */
export type StatusCounts = Readonly<Record<StatusCode, number>>;

export interface RunStatus {
  readonly statusCode: StatusCode;
  readonly status: string | null;
  /** Of nodes, items of maps, and spawned runs with their nodes; what signalbox adds is not counted. */
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
  /** Of a task in progress whose handler has said so in this try. */
  readonly progress?: Progress;
  /** Of a task or map that spawns: the runs spawned so far, with those that they spawned in turn. */
  readonly spawned?: StatusCounts;
}

const NO_COUNTS: StatusCounts = Object.freeze({
  pending: 0,
  'in-progress': 0,
  completed: 0,
  aborted: 0,
  skipped: 0,
  cancelled: 0,
});

/** The last parts of the actions of maps and sub-graphs, which are nodes for all that. */
const RUN_END = `/${INTERNAL.run}`;
const ENDS_OF_NODES: readonly string[] = [`/${INTERNAL.join}`, RUN_END];

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
  const [outcomes, all, spawned] = await Promise.all([
    store.getOutcomes(
      [...plan.nodes].flatMap(([path, { kind }]) => {
        const id = taskId(run, path);
        return kind === 'task' && plan.tasks.has(below(path, INTERNAL.work))
          ? [id, workOf(id)]
          : id;
      }),
      { results: false },
    ),
    store.countTasks({ idPrefix: `${run}/` }),
    countSpawned(store, plan, run),
  ]);
  const found = new Map(outcomes.map((outcome) => [outcome.id, outcome]));
  // A graph may spawn itself: what is spawned has the same actions.
  const counts = without(all, [...spawned.values()].flat());
  const byAction = groupByAction(counts);
  return Array.from(plan.nodes, ([node, { kind }]) => {
    const id = taskId(run, node);
    const { statusCode = 'pending', status = null } = found.get(id) ?? {};
    const { progress } = found.get(workOf(id)) ?? found.get(id) ?? {};
    const action = actionPrefix(plan.graph) + node;
    const parts = partsOf(kind, action, counts, byAction);
    const hasBegun = statusCode === 'pending' && parts.some(isBegun);
    const runs = spawned.get(node)?.filter(isOfRun);
    return {
      node,
      kind,
      statusCode: hasBegun ? 'in-progress' : statusCode,
      status,
      ...(kind === 'map' ? { items: sum(byAction.get(action) ?? []) } : {}),
      ...(progress ? { progress } : {}),
      ...(runs ? { spawned: sum(runs) } : {}),
    };
  });
}

/** The task that performs a node which spawns. */
function workOf(id: string): string {
  return below(id, INTERNAL.work);
}

/** What is below each node that spawns, by its path. */
async function countSpawned(
  store: Store,
  { nodes }: Plan,
  run: string,
): Promise<ReadonlyMap<string, readonly TaskCount[]>> {
  const spawning = [...nodes].flatMap(([path, node]) =>
    (node.kind === 'task' || node.kind === 'map') && node.spawns ? [path] : [],
  );
  const counts = spawning.map(async (path): Promise<[string, readonly TaskCount[]]> => {
    const idPrefix = taskId(run, `${below(path, INTERNAL.spawned)}/`);
    return [path, await store.countTasks({ idPrefix })];
  });
  return new Map(await Promise.all(counts));
}

/** Of one queue, action and state. They are counted one after the other, so that one may have grown meanwhile. */
function without(all: readonly TaskCount[], some: readonly TaskCount[]): readonly TaskCount[] {
  if (some.length === 0) return all;
  const keyOf = ({ queue, action, statusCode }: TaskCount) =>
    JSON.stringify([queue, action, statusCode]);
  const taken = new Map<string, number>();
  for (const one of some) taken.set(keyOf(one), (taken.get(keyOf(one)) ?? 0) + one.count);
  return all.flatMap((one) => {
    const count = one.count - (taken.get(keyOf(one)) ?? 0);
    return count > 0 ? [{ ...one, count }] : [];
  });
}

/** `page@1/~run`: of a run, not of a sub-graph. */
function isOfRun({ action }: TaskCount): boolean {
  return action?.indexOf('/') === action?.lastIndexOf('/') && action?.endsWith(RUN_END) === true;
}

function groupByAction(counts: readonly TaskCount[]): Map<string | null, TaskCount[]> {
  const groups = new Map<string | null, TaskCount[]>();
  for (const one of counts) groups.set(one.action, [...(groups.get(one.action) ?? []), one]);
  return groups;
}

/** What tells that a node has begun which ends later than that: items, what is below a sub-graph, the handler of one that spawns. */
function partsOf(
  kind: NodeKind,
  action: string,
  counts: readonly TaskCount[],
  byAction: ReadonlyMap<string | null, readonly TaskCount[]>,
): readonly TaskCount[] {
  if (kind === 'map') return byAction.get(action) ?? [];
  if (kind === 'task') return byAction.get(below(action, INTERNAL.work)) ?? [];
  if (kind !== 'graph') return [];
  return counts.filter((one) => one.action?.startsWith(below(action, '')));
}

function isBegun({ statusCode }: TaskCount): boolean {
  return statusCode !== 'pending';
}
