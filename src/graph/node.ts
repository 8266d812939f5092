export type NodeKind = 'task' | 'map' | 'graph' | 'event' | 'sleep';

/**
 * The handle of a node: what the builder returns, and what makes an edge when given to a later node. `T` is what
 * the node comes to: a task's result, all results of a map, the outputs of a sub-graph, an event's payload.
 */
export interface Node<out T> {
  readonly kind: NodeKind;
  readonly id: string;
  /** The name of the graph that it is of. */
  readonly graph: string;
  /** For the compiler only; never there at run time. Within an object, so that `undefined` in `T` is kept. */
  readonly '~types'?: { readonly output: T };
}

/** The handle of a node that waits for a payload from outside. */
export interface EventNode<out T> extends Node<T> {
  readonly kind: 'event';
}

/** What the items of a map came to, in the order of the items. Read as it is iterated: it need not fit into memory. */
export interface Collected<out T> extends AsyncIterable<T> {
  /** How many results there are. */
  readonly count: number;
  /** All of them at once. */
  all(): Promise<T[]>;
}

export function isNode(value: unknown): value is Node<unknown> {
  return typeof value === 'object' && value !== null && 'kind' in value && 'graph' in value;
}
