import type { Node } from './node.js';

/** What an edge asks of its nodes, and what it makes of their outcomes: see `judge`. */
export type EdgeMode = 'required' | 'optional' | 'settled' | 'failure' | 'any';

/**
 * A dependency that differs from a plain node in when it lets its dependent run and in the value `V` that it hands on.
 * Hidden: it hands on none, and the dependency's name is missing from `deps`.
 */
export interface Edge<out V, out Hidden extends boolean = boolean> {
  readonly mode: EdgeMode;
  readonly isHidden: Hidden;
  readonly nodes: readonly Node<unknown>[];
  /** For the compiler only; never there at run time. */
  readonly '~types'?: { readonly value: V };
}

/** What a node waits for, by the names under which its handler sees it. A plain node must have completed. */
export type Dependencies = Readonly<Record<string, Node<unknown> | Edge<unknown>>>;

export type NoDependencies = Readonly<Record<never, never>>;

/** What one dependency hands on. */
export type ValueOf<D> = D extends Edge<infer V> ? V : D extends Node<infer T> ? T : never;

/** What a handler sees of its dependencies. */
export type DepValues<D> = {
  readonly [K in keyof D as D[K] extends Edge<unknown, true> ? never : K]: ValueOf<D[K]>;
};

/** How a node ended. */
export type Settled<T> =
  | { readonly status: 'completed'; readonly value: T }
  | { readonly status: 'failed'; readonly error: string }
  | { readonly status: 'skipped'; readonly reason: string }
  | { readonly status: 'cancelled'; readonly reason: string };

export interface Failure {
  /** The id of the node that failed. */
  readonly node: string;
  readonly error: string;
}

/** Runs the dependent whatever becomes of `node`: its value, or undefined if it did not complete. */
export function optional<T>(node: Node<T>): Edge<T | undefined, false> {
  return edge('optional', [node]);
}

/** Runs the dependent whatever becomes of `node`, and tells which. */
export function settled<T>(node: Node<T>): Edge<Settled<T>, false> {
  return edge('settled', [node]);
}

/** Runs the dependent only if one of the nodes failed: the first in this order that did. Skipped or cancelled is not failed. */
export function onFailure(
  ...nodes: readonly [Node<unknown>, ...Node<unknown>[]]
): Edge<Failure, false> {
  return edge('failure', nodes);
}

/** Runs the dependent if one of the nodes completed, once all have ended: the value of the first in this order that did. */
export function anyOf<N extends readonly [Node<unknown>, ...Node<unknown>[]]>(
  ...nodes: N
): Edge<ValueOf<N[number]>, false> {
  return edge('any', nodes);
}

/**
 * Keeps the rule of `dependency` and hands on nothing, so nothing is read: for a node that must come after another but
 * does not need what it made. `orderOnly(a)` still needs `a` completed; `orderOnly(settled(a))` only ended.
 */
export function orderOnly(dependency: Node<unknown> | Edge<unknown>): Edge<never, true> {
  if (!isEdge(dependency))
    return Object.freeze({ mode: 'required', isHidden: true, nodes: Object.freeze([dependency]) });
  return Object.freeze({ mode: dependency.mode, isHidden: true, nodes: dependency.nodes });
}

export function isEdge(value: unknown): value is Edge<unknown> {
  return typeof value === 'object' && value !== null && 'mode' in value && 'nodes' in value;
}

function edge<V>(mode: EdgeMode, nodes: readonly Node<unknown>[]): Edge<V, false> {
  return Object.freeze({ mode, isHidden: false, nodes: Object.freeze([...nodes]) });
}
