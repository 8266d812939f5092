import { InvalidOptionError, TaskNotFoundError } from '../errors.js';
import type { NodeKind } from '../graph/node.js';
import type { GraphDefinition } from '../graph/node-definition.js';
import type { RunPart, StatusCode, TaskStore } from '../store/task-store.js';
import { BY_PATH, below, INTERNAL, isInternal, parseRunAction, pathsAbove } from './names.js';
import type { Plan } from './plan.js';
import { planOf } from './planner.js';
import { NO_COUNTS, type NodeStatus, type StatusCounts } from './run-status.js';

/** A node of a run, with its times. */
export interface RunNode extends NodeStatus {
  /** When its work began: of a map or sub-graph with what comes first in it; of an event, when it began to wait. */
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

/** A run and its nodes, as their rows stand. */
export interface RunTree {
  readonly id: string;
  readonly graph: string;
  readonly version: number;
  /** In progress from when something of it has begun. */
  readonly statusCode: StatusCode;
  readonly status: string | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** Each before what is below it. */
  readonly nodes: readonly RunNode[];
}

/**
 * What a run consists of, and how it stands: nodes, those of sub-graphs and of spawned runs too, with their times. Reads
 * every task of the run in one query, and needs no definition: `graph` gives the order of the nodes, and tells a sleep from
 * a task. TaskNotFoundError; InvalidOptionError for the id of what is no run.
 */
export async function readRunTree(
  store: Pick<TaskStore, 'listRunParts'>,
  id: string,
  graph?: GraphDefinition,
): Promise<RunTree> {
  const parts = await store.listRunParts(id);
  const own = parts.find((part) => part.id === id && part.numItems === null);
  if (!own) throw new TaskNotFoundError([id]);
  const named = parseRunAction(own.action);
  if (!named)
    throw new InvalidOptionError('run', `is ${JSON.stringify(id)}, which is no run of a graph`);
  const starts = parts.flatMap(({ startedAt }) => (startedAt ? [startedAt.getTime()] : []));
  const nodes = new NodeReader(id, parts, graph ? planOf(graph) : null).nodes();
  const hasBegun = own.statusCode === 'pending' && starts.length > 0;
  return {
    id,
    ...named,
    statusCode: hasBegun ? 'in-progress' : own.statusCode,
    status: own.status,
    startedAt: earliest(starts),
    finishedAt: own.finishedAt,
    nodes,
  };
}

function earliest(times: readonly number[]): Date | null {
  return times.length === 0 ? null : new Date(times.reduce((a, b) => Math.min(a, b)));
}

class NodeReader {
  readonly #plan: Plan | null;
  /** Tasks by path; items are apart. */
  readonly #tasks = new Map<string, RunPart>();
  readonly #items = new Map<string, RunPart[]>();
  /** Paths below which something has begun. */
  readonly #begun = new Set<string>();

  constructor(run: string, parts: readonly RunPart[], plan: Plan | null) {
    this.#plan = plan;
    for (const part of parts) {
      const path = part.id.slice(run.length + 1);
      if (part.numItems === null) this.#tasks.set(path, part);
      else this.#items.set(path, [...(this.#items.get(path) ?? []), part]);
      if (part.startedAt) for (const above of pathsAbove(path)) this.#begun.add(above);
    }
    this.#tasks.delete('');
  }

  nodes(): RunNode[] {
    const found: RunNode[] = [];
    for (const [path, task] of this.#tasks) {
      if (task.action !== null && !isInternal(path)) found.push(this.#node(path, task));
    }
    return inOrder(found, this.#plan);
  }

  #node(node: string, task: RunPart): RunNode {
    const kind = this.#kindOf(node, task);
    const items = this.#items.get(node) ?? [];
    const startedAt = this.#startOf(node, kind, task);
    const isOpen = task.statusCode === 'pending' && (kind === 'map' || kind === 'graph');
    const hasBegun = isOpen && (startedAt !== null || this.#begun.has(node));
    return {
      node,
      kind,
      statusCode: hasBegun ? 'in-progress' : task.statusCode,
      status: task.status,
      ...(kind === 'map' ? { items: sumOf(items) } : {}),
      startedAt,
      finishedAt: task.finishedAt,
    };
  }

  #kindOf(path: string, { action }: RunPart): NodeKind {
    if (action?.endsWith(`/${INTERNAL.join}`)) return 'map';
    if (parseRunAction(action)) return 'graph';
    if (this.#tasks.has(below(path, INTERNAL.payload))) return 'event';
    return this.#plan?.nodes.get(path)?.kind ?? 'task';
  }

  #startOf(path: string, kind: NodeKind, task: RunPart): Date | null {
    const first = (name: string) => this.#tasks.get(below(path, name));
    if (kind === 'event') return first(INTERNAL.gate)?.finishedAt ?? null;
    if (kind === 'task' || kind === 'sleep') return task.startedAt;
    const begun = first(kind === 'map' ? INTERNAL.items : INTERNAL.input)?.startedAt;
    const items = (this.#items.get(path) ?? []).flatMap(
      ({ startedAt }) => startedAt?.getTime() ?? [],
    );
    return begun ?? earliest(items) ?? (this.#begun.has(path) ? this.#firstBelow(path) : null);
  }

  /** Of a run that was spawned: it has no task that comes first. */
  #firstBelow(path: string): Date | null {
    const times: number[] = [];
    for (const [other, { startedAt }] of this.#tasks) {
      if (startedAt && other.startsWith(`${path}/`)) times.push(startedAt.getTime());
    }
    return earliest(times);
  }
}

function sumOf(items: readonly RunPart[]): StatusCounts {
  const counts = { ...NO_COUNTS };
  for (const { statusCode, numItems } of items) counts[statusCode] += numItems ?? 0;
  return counts;
}

/** Siblings in the order of the definition; those that are not in it by when they began. */
function inOrder(nodes: readonly RunNode[], plan: Plan | null): RunNode[] {
  const places = new Map(Array.from(plan?.nodes.keys() ?? [], (path, place) => [path, place]));
  const known = new Set(nodes.map(({ node }) => node));
  const children = new Map<string, RunNode[]>();
  for (const one of nodes) {
    const parent = pathsAbove(one.node).findLast((path) => known.has(path)) ?? '';
    const siblings = children.get(parent) ?? [];
    siblings.push(one);
    children.set(parent, siblings);
  }
  const placeOf = ({ node }: RunNode) => places.get(node) ?? Number.MAX_SAFE_INTEGER;
  const compare = (a: RunNode, b: RunNode) =>
    placeOf(a) - placeOf(b) || startOf(a) - startOf(b) || BY_PATH.compare(a.node, b.node);
  const walk = (parent: string): RunNode[] =>
    (children.get(parent) ?? []).sort(compare).flatMap((one) => [one, ...walk(one.node)]);
  return walk('');
}

function startOf({ startedAt }: RunNode): number {
  return startedAt?.getTime() ?? Number.MAX_SAFE_INTEGER;
}
