import type {
  GraphDefinition,
  MapDefinition,
  NodeDefinition,
  PerformSettings,
} from '../graph/node-definition.js';

/** A graph within a run: the whole of it, or a sub-graph. */
export interface Scope {
  /** Empty, or the path of the sub-graph's node. */
  readonly path: string;
  readonly graph: GraphDefinition;
  /** That of the run. */
  readonly whole: GraphDefinition;
  readonly nodes: ReadonlyMap<string, NodeDefinition>;
  /** Nodes whose failure something handles: what depends on them needs them to have completed no more than ended. */
  readonly handled: ReadonlySet<string>;
  /** All completed and nothing can be handled: then every node has completed. */
  readonly canHandle: boolean;
  /** Nodes on which nothing depends. */
  readonly sinks: readonly string[];
}

export type NodeOf<Kind extends NodeDefinition['kind']> = Extract<NodeDefinition, { kind: Kind }>;

/** What a worker does for one action. */
export type Work = {
  readonly action: string;
  readonly scope: Scope;
  /** Of its tasks, below the run; of items, of their map. */
  readonly path: string;
} & (
  | { readonly role: 'start' }
  | { readonly role: 'run' }
  | { readonly role: 'task'; readonly node: NodeOf<'task'> }
  | { readonly role: 'spawn-join'; readonly node: NodeOf<'task'> }
  | { readonly role: 'items'; readonly node: MapDefinition; readonly zipped: readonly Zip[] }
  | { readonly role: 'item'; readonly node: MapDefinition; readonly zip: Zip }
  | { readonly role: 'join'; readonly node: MapDefinition; readonly zip: Zip }
  | { readonly role: 'map-gate'; readonly node: MapDefinition; readonly zip: Zip }
  | { readonly role: 'input'; readonly node: NodeOf<'graph'> }
  | { readonly role: 'event-gate'; readonly node: NodeOf<'event'> }
  | { readonly role: 'event'; readonly node: NodeOf<'event'> }
  | { readonly role: 'sleep'; readonly node: NodeOf<'sleep'> }
);

/** How the items of a map come about. */
export interface Zip {
  readonly node: MapDefinition;
  readonly path: string;
  readonly action: string;
  /** The path of the map whose expander makes the items: its own, if it goes over an array. */
  readonly root: string;
  /** The path of the map that it goes over; null: an array. */
  readonly over: string | null;
  readonly hasGate: boolean;
}

/** A task that every run of the graph has. */
export interface PlannedTask {
  readonly path: string;
  /** Null: a milestone. */
  readonly action: string | null;
  /** Paths. */
  readonly targets: Set<string>;
  /** Given for what waits for a signal from outside. */
  readonly totalDependencies?: number;
  /** Of the node that it performs; null: what signalbox does itself. */
  readonly settings: PerformSettings | null;
  /** Judged by signalbox alone: tried without end, so that a run ends whatever befalls its workers. */
  readonly isTireless: boolean;
  /** Set while the plan is made. */
  hasDependencies: boolean;
}

/** A graph with all its sub-graphs, flattened. */
export interface Plan {
  readonly graph: GraphDefinition;
  readonly tasks: ReadonlyMap<string, PlannedTask>;
  /** By action. */
  readonly works: ReadonlyMap<string, Work>;
  /** By path: of nodes only, sub-graphs' too, in the order of the definition. */
  readonly nodes: ReadonlyMap<string, NodeDefinition>;
  /** By path. */
  readonly zips: ReadonlyMap<string, Zip>;
}
