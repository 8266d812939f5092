import { toDot } from './dot.js';
import type { DrawOptions } from './drawing.js';
import { toMermaid } from './mermaid.js';
import type { EdgeDefinition, GraphDefinition, NodeDefinition } from './node-definition.js';
import type { AnySchema } from './schema.js';
import { shapeHash } from './shape-hash.js';

/**
 * A graph that is ready to be run: what `outputs` of a builder returns. Frozen. `I` is the input that a run is started
 * with, `O` the outputs that it comes to.
 */
export interface Graph<in I, out O> extends GraphDefinition {
  /** For the compiler only; never there at run time. */
  readonly '~types'?: { readonly input: (input: I) => void; readonly output: O };
  toMermaid(options?: DrawOptions): string;
  toDot(options?: DrawOptions): string;
}

/** What a run of the graph is started with. */
export type InputOf<G> = G extends Graph<infer I, unknown> ? I : never;

/** What a run of the graph comes to. */
export type OutputOf<G> = G extends Graph<never, infer O> ? O : never;

/** Of the registry that all copies of this package share: a graph that was made by another one is a graph. */
const BRAND = Symbol.for('signalbox.graph');

/** Its types are not known: input and outputs are whatever its schemas, and its nodes, say. */
export function isGraph(value: unknown): value is Graph<unknown, unknown> {
  return typeof value === 'object' && value !== null && BRAND in value;
}

export interface GraphParts {
  readonly name: string;
  readonly version: number;
  readonly input: AnySchema | null;
  readonly nodes: readonly NodeDefinition[];
  readonly outputs: readonly EdgeDefinition[];
  readonly maxPathBytes: number;
}

export function defineGraph<I, O>(parts: GraphParts): Graph<I, O> {
  const definition: GraphDefinition = Object.freeze({
    ...parts,
    hash: shapeHash(parts.nodes, parts.outputs),
  });
  return Object.freeze({
    ...definition,
    [BRAND]: true,
    toMermaid: (options?: DrawOptions) => toMermaid(definition, options),
    toDot: (options?: DrawOptions) => toDot(definition, options),
  });
}
