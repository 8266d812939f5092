import { idFault, MAX_PATH_BYTES, pathBytes } from './check-id.js';
import {
  checkFields,
  checkFunction,
  checkSchema,
  checkSleepTime,
  checkTimeout,
  checkVersion,
  type Fault,
} from './check-options.js';
import type { GraphContext } from './context.js';
import { defineMap, defineTask, MAP_FIELDS, type NodeBase, TASK_FIELDS } from './define-node.js';
import { defineGraph, type Graph, isGraph } from './definition.js';
import type { Dependencies, DepValues, NoDependencies } from './edges.js';
import { InvalidGraphError } from './graph-errors.js';
import type { RefuseNonJson } from './json-safe.js';
import type { Collected, EventNode, Node, NodeKind } from './node.js';
import type { EdgeDefinition, NodeDefinition, SubGraphDefinition } from './node-definition.js';
import type {
  AfterOptions,
  EventOptions,
  MapOptions,
  SleepTime,
  TaskOptions,
} from './node-options.js';
import { resolveEdges, resolveOver } from './resolve-edges.js';
import type { AnySchema, Schema } from './schema.js';

export interface GraphOptions {
  /** An integer from 1. Raise it when the shape changes: runs end on the version with which they began. Default 1. */
  readonly version?: number;
}

/** The options of a sub-graph that takes an input. */
export interface SubGraphOptions<I, D, J, O> extends AfterOptions<D> {
  readonly graph: Graph<J, O>;
  readonly input: (context: GraphContext<I, DepValues<D>>) => NoInfer<J> | Promise<NoInfer<J>>;
}

/** The options of a sub-graph that takes none. */
export interface PlainSubGraphOptions<D, O> extends AfterOptions<D> {
  readonly graph: Graph<void, O>;
  readonly input?: undefined;
}

/**
 * Begins the definition of a graph: `graph<{ url: string }>('etl')`, or with a schema that every input must fit and that
 * gives it its type. InvalidGraphError.
 */
export function graph<I = void>(
  name: string,
  options?: GraphOptions & { readonly input?: undefined },
): Builder<I, I>;
export function graph<I = unknown, J = I>(
  name: string,
  options: GraphOptions & { readonly input: Schema<I, J> },
): Builder<J, I>;
export function graph<I, J>(
  name: string,
  options: GraphOptions & { readonly input?: AnySchema | undefined } = {},
): Builder<J, I> {
  return new Builder(name, options);
}

/**
 * Collects the nodes of one graph, statement by statement, until `outputs` closes it. A node is made an edge by handing
 * its handle to a later node: there is no way to write a cycle. `I` is the input as handlers see it, `J` as it is given.
 *
 * Every method throws InvalidGraphError where a rule is broken, and ForeignNodeError for a node of another graph;
 * nothing is added then.
 */
export class Builder<I, J> {
  readonly #name: string;
  readonly #version: number;
  readonly #input: AnySchema | null;
  readonly #nodes: NodeDefinition[] = [];
  readonly #ids = new Set<string>();
  readonly #handles = new WeakSet<object>();
  readonly #owner: { readonly name: string; has(node: Node<unknown>): boolean };
  #isClosed = false;

  constructor(name: string, options: GraphOptions & { readonly input?: AnySchema | undefined }) {
    const fault: Fault = (problem) => new InvalidGraphError(String(name), null, problem);
    const nameFault = idFault(name);
    if (nameFault !== null) throw fault(`the name ${nameFault}`);
    checkFields(options, ['version', 'input'], fault);
    this.#name = name;
    this.#version = options.version ?? 1;
    checkVersion(this.#version, fault);
    this.#input = checkSchema('input', options.input, fault);
    this.#owner = { name, has: (node) => this.#handles.has(node) };
  }

  /**
   * Adds a unit of work. What `run` returns is stored as JSON, and is what dependents see. (NoInfer: written within
   * `outputs` or `after`, a node would otherwise take the type that is expected there, unknown.)
   */
  task<S, D extends Dependencies = NoDependencies, T = S>(
    id: string,
    options: TaskOptions<I, D, S, T> & RefuseNonJson<T>,
  ): Node<NoInfer<T>> {
    const fault = this.#begin(id, options, TASK_FIELDS);
    return this.#add(defineTask(this.#base(id, options, fault), options, fault));
  }

  /** Adds a unit of work for each element of an array, or of the results of another map, item by item. */
  map<E, S, D extends Dependencies = NoDependencies, T = S>(
    id: string,
    options: MapOptions<I, D, E, S, T> & RefuseNonJson<T>,
  ): Node<Collected<NoInfer<T>>> {
    const fault = this.#begin(id, options, MAP_FIELDS);
    const base = this.#base(id, options, fault);
    const over = resolveOver(this.#owner, options.over, fault);
    const isZipped = options.over.kind === 'map';
    if (isZipped) this.#checkSpawnsNothing(over, fault);
    return this.#add(defineMap({ ...base, over, isZipped }, options, fault));
  }

  /** Adds a run of another graph: its outputs are what dependents see. */
  graph<O, D extends Dependencies = NoDependencies>(
    id: string,
    options: PlainSubGraphOptions<D, O>,
  ): Node<O>;
  graph<K, O, D extends Dependencies = NoDependencies>(
    id: string,
    options: SubGraphOptions<I, D, K, O>,
  ): Node<O>;
  graph<K, O, D extends Dependencies>(
    id: string,
    options: PlainSubGraphOptions<D, O> | SubGraphOptions<I, D, K, O>,
  ): Node<O> {
    const fault = this.#begin(id, options, ['after', 'graph', 'input']);
    checkFunction('input', options.input, fault);
    const { graph: other } = options;
    if (!isGraph(other))
      throw fault('graph must be a graph: what outputs() of its builder returned');
    const base = this.#base(id, options, fault);
    const input: SubGraphDefinition['input'] = options.input ?? null;
    return this.#add(Object.freeze({ kind: 'graph', ...base, graph: other, input }));
  }

  /** Adds a wait for a payload from outside, which is what dependents see. */
  event<S = unknown, D extends Dependencies = NoDependencies, T = S>(
    id: string,
    options: EventOptions<D, S, T> = {},
  ): EventNode<NoInfer<T>> {
    const fault = this.#begin(id, options, ['after', 'schema', 'timeoutMs']);
    const schema = checkSchema('schema', options.schema, fault);
    const timeoutMs = checkTimeout(options.timeoutMs, fault);
    const base = this.#base(id, options, fault);
    return this.#add(Object.freeze({ kind: 'event', ...base, schema, timeoutMs }));
  }

  /** Adds a pause that takes up no worker: so many milliseconds, or until a date, once its dependencies have ended. */
  sleep<D extends Dependencies = NoDependencies>(
    id: string,
    time: SleepTime<I, D>,
    options: AfterOptions<D> = {},
  ): Node<null> {
    const fault = this.#begin(id, options, ['after']);
    checkSleepTime(time, fault);
    return this.#add(Object.freeze({ kind: 'sleep', ...this.#base(id, options, fault), time }));
  }

  /**
   * Closes the graph: a run comes to the values of these nodes, which are asked of them as dependencies are. Every other
   * node is performed too.
   */
  outputs<R extends Dependencies>(outputs: R): Graph<J, DepValues<R>> {
    this.#checkOpen();
    const fault: Fault = (problem) =>
      new InvalidGraphError(this.#name, null, `outputs: ${problem}`);
    const edges = resolveEdges(this.#owner, outputs, fault);
    this.#isClosed = true;
    return defineGraph({
      name: this.#name,
      version: this.#version,
      input: this.#input,
      nodes: Object.freeze(this.#nodes),
      outputs: edges,
      maxPathBytes: this.#nodes.reduce((bytes, node) => Math.max(bytes, pathBytes(node)), 0),
    });
  }

  /** What comes before every node: nothing is kept until `#add`. */
  #begin(id: string, options: object, fields: readonly string[]): Fault {
    this.#checkOpen();
    const fault: Fault = (problem) => new InvalidGraphError(this.#name, String(id), problem);
    const problem = idFault(id);
    if (problem !== null) throw fault(`the id ${problem}`);
    if (this.#ids.has(id)) throw fault('the id is taken; ids are unique within a graph');
    checkFields(options, fields, fault);
    return fault;
  }

  #checkOpen(): void {
    if (!this.#isClosed) return;
    const problem = 'outputs() has closed it; add nodes before, or define another graph';
    throw new InvalidGraphError(this.#name, null, problem);
  }

  /** Item i of the second map would begin before what item i of the first spawned has ended. */
  #checkSpawnsNothing({ nodes: [id] }: EdgeDefinition, fault: Fault): void {
    const node = this.#nodes.find((one) => one.id === id);
    if (node?.kind !== 'map' || node.spawns === null) return;
    throw fault(
      `over must not be a map that spawns, as ${JSON.stringify(id)} does: put a task between that makes an array of it`,
    );
  }

  #base(id: string, options: AfterOptions<Dependencies>, fault: Fault): NodeBase {
    return { id, edges: resolveEdges(this.#owner, options.after, fault) };
  }

  #add<K extends NodeKind>(
    definition: NodeDefinition & { readonly kind: K },
  ): Node<never> & { readonly kind: K } {
    const { id, kind } = definition;
    const bytes = pathBytes(definition);
    if (bytes > MAX_PATH_BYTES) {
      const problem = `its paths have up to ${bytes} bytes, more than ${MAX_PATH_BYTES}; shorten ids`;
      throw new InvalidGraphError(this.#name, id, problem);
    }
    const handle = Object.freeze({ kind, id, graph: this.#name });
    this.#ids.add(id);
    this.#handles.add(handle);
    this.#nodes.push(definition);
    return handle;
  }
}
