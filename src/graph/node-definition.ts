import type { GraphContext, MapContext, TaskContext } from './context.js';
import type { EdgeMode } from './edges.js';
import type { FailAfter, NodeRetryPolicy } from './node-options.js';
import type { AnySchema } from './schema.js';

/** An edge as it is kept: ids instead of handles. */
export interface EdgeDefinition {
  /** The name of the dependency. */
  readonly name: string;
  readonly mode: EdgeMode;
  readonly isHidden: boolean;
  /** One but for the modes `any` and `failure`. */
  readonly nodes: readonly string[];
}

type Values = Readonly<Record<string, unknown>>;

/** A function of the definition, its types forgotten: as a method it is bivariant, so that one of any types may be kept. */
type FunctionOf<Context> = { call(context: Context): unknown }['call'];

type GraphFunction = FunctionOf<GraphContext<unknown, Values>>;

/** How a node, or each item of a map, is performed. Null: what the run or the store has by default. */
export interface PerformSettings {
  readonly maxTries: number;
  readonly retry: NodeRetryPolicy | null;
  readonly timeoutMs: number | null;
  readonly priority: number | null;
  readonly queue: string | null;
  readonly limitKey: string | null;
  readonly limit: number | null;
}

interface AnyNode {
  readonly id: string;
  /** In the order of `after`. */
  readonly edges: readonly EdgeDefinition[];
}

interface Performed<Context> extends AnyNode {
  readonly condition: GraphFunction | null;
  /** Null: `action` names the handler. */
  readonly run: FunctionOf<Context> | null;
  readonly action: string | null;
  readonly output: AnySchema | null;
  readonly settings: PerformSettings;
  /** The graphs whose runs the handler may start; null: it starts none. Not to be called before the graph is defined. */
  readonly spawns: SpawnsDefinition | null;
}

export interface SpawnsDefinition {
  /** Null where a function names them: they may not be defined yet. */
  readonly names: readonly string[] | null;
  graphs(): readonly GraphDefinition[];
}

export interface TaskDefinition extends Performed<TaskContext<unknown, Values>> {
  readonly kind: 'task';
}

export interface MapDefinition extends Performed<MapContext<unknown, Values, unknown>> {
  readonly kind: 'map';
  /** Required and hidden: to be judged with the other edges. */
  readonly over: EdgeDefinition;
  /** It goes over another map: item i waits for item i of that one. */
  readonly isZipped: boolean;
  readonly concurrency: number | null;
  readonly failAfter: FailAfter;
}

export interface SubGraphDefinition extends AnyNode {
  readonly kind: 'graph';
  readonly graph: GraphDefinition;
  /** Null: the graph takes no input. */
  readonly input: GraphFunction | null;
}

interface EventDefinition extends AnyNode {
  readonly kind: 'event';
  readonly schema: AnySchema | null;
  readonly timeoutMs: number | null;
}

interface SleepDefinition extends AnyNode {
  readonly kind: 'sleep';
  readonly time: number | GraphFunction;
}

export type NodeDefinition =
  | TaskDefinition
  | MapDefinition
  | SubGraphDefinition
  | EventDefinition
  | SleepDefinition;

/** A graph without its types: what a worker performs, what drawings and the hash are made of. */
export interface GraphDefinition {
  readonly name: string;
  readonly version: number;
  /** Of the shape: see `shapeHash`. */
  readonly hash: string;
  /** What the input of a run must fit; null: anything. */
  readonly input: AnySchema | null;
  /** In the order in which they were added: each after all that it depends on. */
  readonly nodes: readonly NodeDefinition[];
  /** What a run comes to, by name: judged as the dependencies of a node are. */
  readonly outputs: readonly EdgeDefinition[];
  /** The bytes of the longest path of ids below a run: `sub/each/9999999999`. */
  readonly maxPathBytes: number;
}

/** All that a node waits for: of a map also what it goes over, first. */
export function edgesOf(node: NodeDefinition): readonly EdgeDefinition[] {
  return node.kind === 'map' ? [node.over, ...node.edges] : node.edges;
}
