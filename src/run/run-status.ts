import { TaskNotFoundError } from '../errors.js';
import type { Progress } from '../graph/context.js';
import type { NodeKind } from '../graph/node.js';
import type { GraphDefinition } from '../graph/node-definition.js';
import type { StatusCode, TaskCount, TaskOutcome, TaskStore } from '../store/task-store.js';
import { below, INTERNAL, isInternal, pathOfAction, taskId } from './names.js';
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

/** Two queries, and one more for each node that spawns. */
export async function readNodes(store: Store, plan: Plan, run: string): Promise<NodeStatus[]> {
  const [outcomes, all, spawned] = await Promise.all([
    store.getOutcomes(idsOf(plan, run), { results: false }),
    store.countTasks({ idPrefix: `${run}/` }),
    countSpawned(store, plan, run),
  ]);
  const found: Found = {
    outcomes: new Map(outcomes.map((outcome) => [outcome.id, outcome])),
    // A graph may spawn itself: what is spawned has the same actions.
    byPath: groupByPath(plan.graph, without(all, [...spawned.values()].flat())),
    spawned,
  };
  return Array.from(plan.nodes, ([node, { kind }]) =>
    toStatus(found, taskId(run, node), node, kind),
  );
}

/** What the queries have found, by the paths of nodes. */
interface Found {
  readonly outcomes: ReadonlyMap<string, TaskOutcome>;
  /** Of the run itself. */
  readonly byPath: ReadonlyMap<string, readonly TaskCount[]>;
  readonly spawned: ReadonlyMap<string, readonly TaskCount[]>;
}

function toStatus(found: Found, id: string, node: string, kind: NodeKind): NodeStatus {
  const { outcomes, byPath } = found;
  const { statusCode = 'pending', status = null } = outcomes.get(id) ?? {};
  const { progress } = outcomes.get(workOf(id)) ?? outcomes.get(id) ?? {};
  const hasBegun = statusCode === 'pending' && partsOf(kind, node, found).some(isBegun);
  const runs = found.spawned.get(node)?.filter(isOfRun);
  return {
    node,
    kind,
    statusCode: hasBegun ? 'in-progress' : statusCode,
    status,
    ...(kind === 'map' ? { items: sum(byPath.get(node) ?? []) } : {}),
    ...(progress ? { progress } : {}),
    ...(runs ? { spawned: sum(runs) } : {}),
  };
}

/** The ends of all nodes, and the handlers of those that spawn. */
function idsOf({ nodes, tasks }: Plan, run: string): string[] {
  return [...nodes.keys()].flatMap((path) => {
    const id = taskId(run, path);
    return tasks.has(workOf(path)) ? [id, workOf(id)] : [id];
  });
}

/** The id, or path, of the task that performs a task which spawns. */
function workOf(node: string): string {
  return below(node, INTERNAL.work);
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

/** Of a run, not of a sub-graph. */
function isOfRun({ action }: TaskCount): boolean {
  return action !== null && pathOfAction(action) === INTERNAL.run;
}

/** Of the tasks of one graph, whatever the version and the shape with which its run began. */
function groupByPath(
  { name }: GraphDefinition,
  counts: readonly TaskCount[],
): Map<string, TaskCount[]> {
  const groups = new Map<string, TaskCount[]>();
  for (const one of counts) {
    if (!one.action?.startsWith(`${name}@`)) continue;
    const path = pathOfAction(one.action);
    groups.set(path, [...(groups.get(path) ?? []), one]);
  }
  return groups;
}

/** What tells that a node has begun which ends later than that: items, what is below a sub-graph, the handler of one that spawns. */
function partsOf(kind: NodeKind, node: string, { byPath }: Found): readonly TaskCount[] {
  if (kind === 'map') return byPath.get(node) ?? [];
  if (kind === 'task') return byPath.get(workOf(node)) ?? [];
  if (kind !== 'graph') return [];
  return [...byPath].flatMap(([path, counts]) => (path.startsWith(`${node}/`) ? counts : []));
}

function isBegun({ statusCode }: TaskCount): boolean {
  return statusCode !== 'pending';
}
