import type { Settled } from './edges.js';
import type { EdgeDefinition } from './node-definition.js';

/** What a skip comes from in the end, passed on from node to node. */
export interface Cause {
  readonly node: string;
  readonly outcome: 'failed' | 'cancelled' | 'skipped';
  /** What failed, or why it was skipped. */
  readonly detail: string;
}

/** How a node ended. */
export type NodeOutcome =
  | { readonly statusCode: 'completed'; readonly value: unknown }
  | { readonly statusCode: 'aborted'; readonly status: string | null }
  | { readonly statusCode: 'cancelled'; readonly status: string | null }
  | {
      readonly statusCode: 'skipped';
      readonly status: string | null;
      /** Of the verdict that skipped it; null where it was skipped for a reason of its own. */
      readonly cause: Cause | null;
    };

/** Whether a node runs, and with what; or why it is skipped. */
export type Verdict =
  | { readonly run: true; readonly deps: Readonly<Record<string, unknown>> }
  | {
      readonly run: false;
      /** The status of the skipped node: `skipped since "extract" failed: boom`. */
      readonly reason: string;
      /** To be kept with it, for the nodes after it. Null: the reason is its own. */
      readonly cause: Cause | null;
    };

/** The reason of a node whose `if` said no. Its cause is null. */
export const CONDITION_REASON = 'its condition is false';

type EdgeVerdict = { readonly value: unknown } | Extract<Verdict, { run: false }>;

type OutcomeOf = (node: string) => NodeOutcome;

const UNKNOWN_ERROR = 'no reason was given';

/**
 * Judges a node whose dependencies have all ended: the one place that knows what the modifiers of edges mean.
 *
 * The node runs if every edge lets it; else the first in the order of `after` that does not gives the reason, which
 * names the ancestor where the trouble began. `outcomeOf` is asked for each node of each edge; of a hidden edge the
 * values are not used.
 */
export function judge(edges: readonly EdgeDefinition[], outcomeOf: OutcomeOf): Verdict {
  const deps: [name: string, value: unknown][] = [];
  for (const edge of edges) {
    const verdict = JUDGES[edge.mode](edge.nodes, outcomeOf);
    if ('run' in verdict) return verdict;
    if (!edge.isHidden) deps.push([edge.name, verdict.value]);
  }
  return { run: true, deps: Object.fromEntries(deps) };
}

type Judge = (nodes: readonly string[], outcomeOf: OutcomeOf) => EdgeVerdict;

const JUDGES: Readonly<Record<EdgeDefinition['mode'], Judge>> = {
  required: judgeRequired,
  any: judgeRequired,
  failure: judgeFailure,
  optional: (nodes, outcomeOf) => ({ value: firstCompleted(nodes, outcomeOf)?.value }),
  settled: (nodes, outcomeOf) => ({ value: toSettled(outcomeOf(first(nodes))) }),
};

/** One must have completed: of a plain edge, its only node. */
function judgeRequired(nodes: readonly string[], outcomeOf: OutcomeOf): EdgeVerdict {
  const completed = firstCompleted(nodes, outcomeOf);
  if (completed) return completed;
  const cause = causeOf(first(nodes), outcomeOf);
  const reason = `skipped since ${describe(cause)}`;
  if (nodes.length === 1) return { run: false, reason, cause };
  return {
    run: false,
    reason: `skipped since none of ${quoted(nodes)} completed: ${describe(cause)}`,
    cause,
  };
}

function judgeFailure(nodes: readonly string[], outcomeOf: OutcomeOf): EdgeVerdict {
  for (const node of nodes) {
    const outcome = outcomeOf(node);
    if (outcome.statusCode === 'aborted') {
      return { value: { node, error: outcome.status ?? UNKNOWN_ERROR } };
    }
  }
  const subject = nodes.length === 1 ? quoted(nodes) : `none of ${quoted(nodes)}`;
  const verb = nodes.length === 1 ? 'did not fail' : 'failed';
  return { run: false, reason: `skipped since ${subject} ${verb}`, cause: null };
}

function firstCompleted(
  nodes: readonly string[],
  outcomeOf: OutcomeOf,
): Extract<NodeOutcome, { value: unknown }> | undefined {
  for (const node of nodes) {
    const outcome = outcomeOf(node);
    if (outcome.statusCode === 'completed') return outcome;
  }
  return undefined;
}

/** Every edge has a node. */
function first([node]: readonly string[]): string {
  if (node === undefined) throw new RangeError('an edge has no node');
  return node;
}

function quoted(nodes: readonly string[]): string {
  return nodes.map((node) => JSON.stringify(node)).join(', ');
}

function causeOf(node: string, outcomeOf: OutcomeOf): Cause {
  const outcome = outcomeOf(node);
  if (outcome.statusCode === 'skipped' && outcome.cause) return outcome.cause;
  if (outcome.statusCode === 'completed') throw new RangeError(`${node} completed`);
  const detail = outcome.status ?? UNKNOWN_ERROR;
  const how = outcome.statusCode === 'aborted' ? 'failed' : outcome.statusCode;
  return { node, outcome: how, detail };
}

function describe({ node, outcome, detail }: Cause): string {
  const verb = outcome === 'failed' ? 'failed' : `was ${outcome}`;
  return `${JSON.stringify(node)} ${verb}: ${detail}`;
}

function toSettled(outcome: NodeOutcome): Settled<unknown> {
  switch (outcome.statusCode) {
    case 'completed':
      return { status: 'completed', value: outcome.value };
    case 'aborted':
      return { status: 'failed', error: outcome.status ?? UNKNOWN_ERROR };
    default:
      return { status: outcome.statusCode, reason: outcome.status ?? UNKNOWN_ERROR };
  }
}
