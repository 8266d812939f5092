import type { Fault } from './check-options.js';
import { type Dependencies, type Edge, isEdge } from './edges.js';
import { ForeignNodeError } from './graph-errors.js';
import { isNode, type Node } from './node.js';
import type { EdgeDefinition } from './node-definition.js';

/** The builder, as far as its edges are concerned. */
export interface Owner {
  readonly name: string;
  /** Whether the handle is one that this builder made. */
  has(node: Node<unknown>): boolean;
}

/** Handles to ids. The fault of a dependency that is neither node nor edge; ForeignNodeError. */
export function resolveEdges(
  owner: Owner,
  dependencies: Dependencies | undefined,
  fault: Fault,
): readonly EdgeDefinition[] {
  if (dependencies === undefined) return Object.freeze([]);
  if (typeof dependencies !== 'object' || dependencies === null || Array.isArray(dependencies)) {
    throw fault('dependencies must be a record of nodes by name: { after: { extract } }');
  }
  if (isNode(dependencies) || isEdge(dependencies)) {
    throw fault('dependencies must be a record: put the node in braces, { after: { extract } }');
  }
  return Object.freeze(
    Object.entries(dependencies).map(([name, dependency]) =>
      resolveEdge(owner, name, dependency, fault),
    ),
  );
}

/** What a map goes over: hidden, since handlers see its items. */
export function resolveOver(owner: Owner, over: unknown, fault: Fault): EdgeDefinition {
  if (isEdge(over)) {
    throw fault('over must be a node; put a task between that makes an array of the edge');
  }
  if (!isNode(over)) throw fault('over must be a node: a task that returns an array, or a map');
  return Object.freeze({ ...resolveEdge(owner, 'over', over, fault), isHidden: true });
}

function resolveEdge(
  owner: Owner,
  name: string,
  dependency: Node<unknown> | Edge<unknown>,
  fault: Fault,
): EdgeDefinition {
  if (isEdge(dependency)) {
    const { mode, isHidden, nodes } = dependency;
    return freeze({ name, mode, isHidden, nodes: idsOf(owner, name, nodes, fault) });
  }
  const nodes = idsOf(owner, name, [dependency], fault);
  return freeze({ name, mode: 'required', isHidden: false, nodes });
}

function idsOf(
  owner: Owner,
  name: string,
  nodes: readonly Node<unknown>[],
  fault: Fault,
): readonly string[] {
  const subject = `the dependency ${JSON.stringify(name)}`;
  if (nodes.length === 0) throw fault(`${subject} names no node; give at least one`);
  for (const node of nodes) {
    if (!isNode(node)) throw fault(`${subject} is neither a node nor an edge; give a handle`);
    if (!owner.has(node)) throw new ForeignNodeError(owner.name, node);
  }
  return Object.freeze(nodes.map(({ id }) => id));
}

function freeze(edge: EdgeDefinition): EdgeDefinition {
  return Object.freeze(edge);
}
