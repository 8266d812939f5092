import {
  type EdgeDefinition,
  edgesOf,
  type GraphDefinition,
  type MapDefinition,
  type NodeDefinition,
  type PerformSettings,
} from '../graph/node-definition.js';
import { actionPrefix, below, INTERNAL, startAction } from './names.js';
import type { NodeOf, Plan, PlannedTask, Scope, Work, Zip } from './plan.js';

const TIRELESS: ReadonlySet<Work['role']> = new Set([
  'run',
  'join',
  'spawn-join',
  'map-gate',
  'event-gate',
  'event',
]);

const plans = new WeakMap<GraphDefinition, Plan>();

/** The plan of a graph: what a run of it consists of, and who does what. Made once. */
export function planOf(graph: GraphDefinition): Plan {
  let plan = plans.get(graph);
  if (!plan) {
    plan = new Planner(graph).plan();
    plans.set(graph, plan);
  }
  return plan;
}

class Planner {
  readonly #graph: GraphDefinition;
  readonly #prefix: string;
  readonly #tasks = new Map<string, PlannedTask>();
  readonly #works = new Map<string, Work>();
  readonly #nodes = new Map<string, NodeDefinition>();
  readonly #zips = new Map<string, Zip>();

  constructor(graph: GraphDefinition) {
    this.#graph = graph;
    this.#prefix = actionPrefix(graph);
  }

  plan(): Plan {
    this.#addScope('', this.#graph);
    this.#addStart();
    return {
      graph: this.#graph,
      tasks: this.#tasks,
      works: this.#works,
      nodes: this.#nodes,
      zips: this.#zips,
    };
  }

  /** The tasks of a graph; the last is its run, at the scope's own path. */
  #addScope(path: string, graph: GraphDefinition): void {
    const scope = toScope(path, graph, this.#graph);
    for (const node of graph.nodes) this.#addNode(scope, node);
    for (const node of graph.nodes) {
      for (const edge of edgesOf(node)) for (const id of edge.nodes) this.#connect(scope, id, node);
    }
    this.#add(scope, path, INTERNAL.run, null, { role: 'run' });
    for (const id of scope.sinks) this.#edge(below(path, id), path);
  }

  /** What schedules insert: no task of a run. */
  #addStart(): void {
    const action = startAction(this.#graph);
    const scope = toScope('', this.#graph, this.#graph);
    this.#works.set(action, { role: 'start', action, scope, path: '' });
  }

  #addNode(scope: Scope, node: NodeDefinition): void {
    const path = below(scope.path, node.id);
    this.#nodes.set(path, node);
    switch (node.kind) {
      case 'task':
        this.#addTask(scope, path, node);
        return;
      case 'sleep':
        this.#add(scope, path, '', null, { role: 'sleep', node });
        return;
      case 'event':
        this.#addEvent(scope, path, node);
        return;
      case 'graph':
        this.#add(scope, below(path, INTERNAL.input), null, null, { role: 'input', node });
        this.#addScope(path, node.graph);
        this.#startScope(path, node.graph);
        return;
      case 'map':
        this.#addMap(scope, path, node);
    }
  }

  /** One that spawns has a join: what it inserts signals that, as its handler does. */
  #addTask(scope: Scope, path: string, node: NodeOf<'task'>): void {
    if (node.spawns === null) {
      this.#add(scope, path, '', node.settings, { role: 'task', node });
      return;
    }
    const work = below(path, INTERNAL.work);
    this.#add(scope, work, null, node.settings, { role: 'task', node });
    this.#add(scope, path, INTERNAL.join, null, { role: 'spawn-join', node });
    this.#edge(work, path);
  }

  /** What has no dependencies within the sub-graph waits for its input. */
  #startScope(path: string, graph: GraphDefinition): void {
    const input = below(path, INTERNAL.input);
    for (const node of graph.nodes) {
      if (edgesOf(node).length === 0) this.#edge(input, this.#entryOf(below(path, node.id), node));
    }
    if (graph.nodes.length === 0) this.#edge(input, path);
  }

  #addEvent(scope: Scope, path: string, node: NodeOf<'event'>): void {
    this.#add(scope, path, '', null, { role: 'event', node });
    this.#add(scope, below(path, INTERNAL.gate), null, null, { role: 'event-gate', node });
    this.#edge(below(path, INTERNAL.gate), path);
    this.#tasks.set(below(path, INTERNAL.payload), {
      path: below(path, INTERNAL.payload),
      action: null,
      targets: new Set([path]),
      totalDependencies: 1,
      settings: null,
      isTireless: true,
      hasDependencies: true,
    });
    this.#target(path);
  }

  #addMap(scope: Scope, path: string, node: MapDefinition): void {
    const zip = this.#zipOf(scope, path, node);
    this.#zips.set(path, zip);
    this.#add(scope, path, INTERNAL.join, null, { role: 'join', node, zip });
    const item: Work = { role: 'item', node, zip, action: zip.action, scope, path };
    this.#works.set(item.action, item);
    if (zip.over === null) {
      const items = below(path, INTERNAL.items);
      this.#add(scope, items, null, node.settings, { role: 'items', node, zipped: [] });
      this.#edge(items, path);
    } else if (zip.hasGate) {
      const gate = below(path, INTERNAL.gate);
      this.#add(scope, gate, null, node.settings, { role: 'map-gate', node, zip });
      this.#edge(below(zip.root, INTERNAL.items), gate);
      this.#edge(gate, path);
    }
    if (zip.over !== null) this.#joinExpander(zip);
  }

  /** The expander of the map at the root of a chain makes the items of the whole chain. */
  #joinExpander(zip: Zip): void {
    const action = this.#prefix + below(zip.root, INTERNAL.items);
    const work = this.#works.get(action);
    if (work?.role !== 'items') throw new RangeError(`${zip.root} has no expander`);
    this.#works.set(action, { ...work, zipped: [...work.zipped, zip] });
  }

  #zipOf(scope: Scope, path: string, node: MapDefinition): Zip {
    const [overId = ''] = node.over.nodes;
    const over = node.isZipped ? below(scope.path, overId) : null;
    const root = over === null ? path : (this.#zips.get(over)?.root ?? over);
    const hasGate = over !== null && (node.edges.length > 0 || node.condition !== null);
    return { node, path, action: this.#prefix + path, root, over, hasGate };
  }

  /** The edge from the end of a dependency to the beginning of a node. */
  #connect(scope: Scope, dependency: string, node: NodeDefinition): void {
    const path = below(scope.path, node.id);
    const from = below(scope.path, dependency);
    const isOver = node.kind === 'map' && node.isZipped && node.over.nodes.includes(dependency);
    // Items wait for items; only the joins wait for each other, so that each map is followed by something.
    if (isOver) this.#edge(from, path);
    if (!isOver || node.edges.some((edge) => edge.nodes.includes(dependency))) {
      this.#edge(from, this.#entryOf(path, node));
    }
  }

  #entryOf(path: string, node: NodeDefinition): string {
    if (node.kind === 'graph') return below(path, INTERNAL.input);
    if (node.kind === 'event') return below(path, INTERNAL.gate);
    if (node.kind === 'task' && node.spawns) return below(path, INTERNAL.work);
    if (node.kind !== 'map') return path;
    if (!node.isZipped) return below(path, INTERNAL.items);
    return this.#zips.get(path)?.hasGate ? below(path, INTERNAL.gate) : path;
  }

  /** `suffix`: what the action has after the path where that does not say it already; null: it does. */
  #add(
    scope: Scope,
    path: string,
    suffix: string | null,
    settings: PerformSettings | null,
    work: WithoutPlace<Work>,
  ): void {
    const action = this.#prefix + (suffix ? below(path, suffix) : path);
    this.#works.set(action, { ...work, action, scope, path });
    this.#tasks.set(path, {
      path,
      action,
      targets: new Set(),
      settings,
      isTireless: TIRELESS.has(work.role),
      hasDependencies: false,
    });
  }

  #edge(from: string, to: string): void {
    this.#tasks.get(from)?.targets.add(to);
    this.#target(to);
  }

  #target(path: string): void {
    const task = this.#tasks.get(path);
    if (task) task.hasDependencies = true;
  }
}

type WithoutPlace<W> = W extends Work ? Omit<W, 'action' | 'scope' | 'path'> : never;

function toScope(path: string, graph: GraphDefinition, whole: GraphDefinition): Scope {
  const edges: EdgeDefinition[] = graph.nodes.flatMap((node) => [...edgesOf(node)]);
  const handling = [...edges, ...graph.outputs].filter(({ mode }) => mode !== 'required');
  const depended = new Set(edges.flatMap(({ nodes }) => nodes));
  return {
    path,
    graph,
    whole,
    nodes: new Map(graph.nodes.map((node) => [node.id, node])),
    handled: new Set(handling.flatMap(({ nodes }) => nodes)),
    canHandle: handling.length > 0,
    sinks: graph.nodes.flatMap(({ id }) => (depended.has(id) ? [] : [id])),
  };
}
