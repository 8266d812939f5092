import { type BodyFault, SignalboxError } from '../errors.js';

/** The definition of a graph breaks a rule: thrown by the line that breaks it, before anything runs. */
export class InvalidGraphError extends SignalboxError {
  readonly graph: string;
  /** Null: it is the graph as a whole. */
  readonly node: string | null;

  constructor(graph: string, node: string | null, problem: string, options?: { cause?: unknown }) {
    const where = node === null ? '' : `, node ${JSON.stringify(node)}`;
    super('INVALID_GRAPH', `Graph ${JSON.stringify(graph)}${where}: ${problem}.`, options);
    this.graph = graph;
    this.node = node;
  }
}

/** A node of one graph was handed to the builder of another. */
export class ForeignNodeError extends SignalboxError {
  readonly graph: string;
  readonly node: string;
  /** The graph that the node is of. */
  readonly otherGraph: string;

  constructor(graph: string, foreign: { readonly id: string; readonly graph: string }) {
    const [own, other] = [JSON.stringify(graph), JSON.stringify(foreign.graph)];
    const whose = own === other ? 'another graph that is also named' : 'graph';
    super(
      'FOREIGN_NODE',
      `Node ${JSON.stringify(foreign.id)} is of ${whose} ${other}, not of the graph ${own} that it was handed to. ` +
        'Edges stay within a graph; include the other one with g.graph() and depend on that.',
    );
    this.graph = graph;
    this.node = foreign.id;
    this.otherGraph = foreign.graph;
  }
}

/** An input, output or payload does not fit its schema. */
export class InvalidValueError extends SignalboxError {
  /** What it is the value of: `input of graph "etl"`. */
  readonly subject: string;
  readonly errors: readonly BodyFault[];

  constructor(subject: string, errors: readonly BodyFault[]) {
    const faults = errors.map((fault) => `${fault.path || '/'} ${fault.message}`).join('; ');
    super('INVALID_VALUE', `The ${subject} does not fit its schema: ${faults}.`);
    this.subject = subject;
    this.errors = errors;
  }
}
