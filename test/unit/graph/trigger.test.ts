import { describe, expect, it } from 'vitest';
import type { EdgeMode } from '../../../src/graph/edges.js';
import type { EdgeDefinition } from '../../../src/graph/node-definition.js';
import {
  type Cause,
  CONDITION_REASON,
  judge,
  type NodeOutcome,
  type Verdict,
} from '../../../src/graph/trigger.js';

const completed: NodeOutcome = { statusCode: 'completed', value: { n: 1 } };
const aborted: NodeOutcome = { statusCode: 'aborted', status: 'boom' };
const cancelled: NodeOutcome = { statusCode: 'cancelled', status: 'by hand' };
/** Skipped by a verdict: something before it failed. */
const root: Cause = { node: 'root', outcome: 'failed', detail: 'no disk' };
const skipped: NodeOutcome = {
  statusCode: 'skipped',
  status: 'skipped since "root" failed: no disk',
  cause: root,
};
/** Skipped by its own condition. */
const declined: NodeOutcome = {
  statusCode: 'skipped',
  status: CONDITION_REASON,
  cause: null,
};

type Outcomes = Readonly<Record<string, NodeOutcome>>;

function edge(mode: EdgeMode, nodes: readonly string[], isHidden = false): EdgeDefinition {
  return { name: 'dep', mode, isHidden, nodes };
}

function verdictOf(edges: readonly EdgeDefinition[], outcomes: Outcomes): Verdict {
  return judge(edges, (node) => {
    const outcome = outcomes[node];
    if (!outcome) throw new Error(`nobody asked for ${node}`);
    return outcome;
  });
}

function runs(value: unknown): Verdict {
  return { run: true, deps: { dep: value } };
}

function skips(reason: string, cause: Cause | null): Verdict {
  return { run: false, reason, cause };
}

const ofFailed: Cause = { node: 'a', outcome: 'failed', detail: 'boom' };
const ofCancelled: Cause = { node: 'a', outcome: 'cancelled', detail: 'by hand' };
const ofDeclined: Cause = { node: 'a', outcome: 'skipped', detail: 'its condition is false' };
const sinceFailed = skips('skipped since "a" failed: boom', ofFailed);
const sinceRoot = skips('skipped since "root" failed: no disk', root);
const sinceCancelled = skips('skipped since "a" was cancelled: by hand', ofCancelled);
const sinceDeclined = skips('skipped since "a" was skipped: its condition is false', ofDeclined);
const notFailed = skips('skipped since "a" did not fail', null);

describe('an edge from one node', () => {
  it.each<[EdgeMode, string, NodeOutcome, Verdict]>([
    ['required', 'completed', completed, runs({ n: 1 })],
    ['required', 'aborted', aborted, sinceFailed],
    ['required', 'skipped', skipped, sinceRoot],
    ['required', 'declined', declined, sinceDeclined],
    ['required', 'cancelled', cancelled, sinceCancelled],
    ['optional', 'completed', completed, runs({ n: 1 })],
    ['optional', 'aborted', aborted, runs(undefined)],
    ['optional', 'skipped', skipped, runs(undefined)],
    ['optional', 'declined', declined, runs(undefined)],
    ['optional', 'cancelled', cancelled, runs(undefined)],
    ['settled', 'completed', completed, runs({ status: 'completed', value: { n: 1 } })],
    ['settled', 'aborted', aborted, runs({ status: 'failed', error: 'boom' })],
    [
      'settled',
      'skipped',
      skipped,
      runs({ status: 'skipped', reason: 'skipped since "root" failed: no disk' }),
    ],
    [
      'settled',
      'declined',
      declined,
      runs({ status: 'skipped', reason: 'its condition is false' }),
    ],
    ['settled', 'cancelled', cancelled, runs({ status: 'cancelled', reason: 'by hand' })],
    ['failure', 'completed', completed, notFailed],
    ['failure', 'aborted', aborted, runs({ node: 'a', error: 'boom' })],
    ['failure', 'skipped', skipped, notFailed],
    ['failure', 'declined', declined, notFailed],
    ['failure', 'cancelled', cancelled, notFailed],
    ['any', 'completed', completed, runs({ n: 1 })],
    ['any', 'aborted', aborted, sinceFailed],
    ['any', 'skipped', skipped, sinceRoot],
    ['any', 'declined', declined, sinceDeclined],
    ['any', 'cancelled', cancelled, sinceCancelled],
  ])('%s, of one that is %s', (mode, _, outcome, verdict) => {
    expect(verdictOf([edge(mode, ['a'])], { a: outcome })).toEqual(verdict);
    const hidden = verdictOf([edge(mode, ['a'], true)], { a: outcome });
    expect(hidden).toEqual(verdict.run ? { run: true, deps: {} } : verdict);
  });
});

describe('an edge from several nodes', () => {
  const other: NodeOutcome = { statusCode: 'completed', value: 'other' };

  it('any: has the value of the first in its order that completed', () => {
    const any = [edge('any', ['a', 'b', 'c'])];
    expect(verdictOf(any, { a: aborted, b: other, c: completed })).toEqual(runs('other'));
    expect(verdictOf(any, { a: skipped, b: cancelled, c: completed })).toEqual(runs({ n: 1 }));
  });

  it('any: skips if none completed, and tells the trouble of the first', () => {
    expect(verdictOf([edge('any', ['a', 'b'])], { a: skipped, b: aborted })).toEqual(
      skips('skipped since none of "a", "b" completed: "root" failed: no disk', root),
    );
  });

  it('failure: has the error of the first in its order that failed', () => {
    const failure = [edge('failure', ['a', 'b', 'c'])];
    const late: NodeOutcome = { statusCode: 'aborted', status: 'late' };
    expect(verdictOf(failure, { a: skipped, b: aborted, c: late })).toEqual(
      runs({ node: 'b', error: 'boom' }),
    );
    expect(verdictOf(failure, { a: skipped, b: completed, c: cancelled })).toEqual(
      skips('skipped since none of "a", "b", "c" failed', null),
    );
  });
});

describe('judge', () => {
  it('runs a node without dependencies', () => {
    expect(verdictOf([], {})).toEqual({ run: true, deps: {} });
  });

  it('hands on the value of every visible edge by its name', () => {
    const edges = [
      { ...edge('required', ['a']), name: 'one' },
      { ...edge('required', ['a'], true), name: 'hidden' },
      { ...edge('optional', ['b']), name: '__proto__' },
    ];
    const verdict = verdictOf(edges, { a: completed, b: aborted });
    expect(verdict.run && Object.keys(verdict.deps)).toEqual(['one', '__proto__']);
  });

  it('gives the reason of the first edge that does not let the node run', () => {
    const edges = [edge('optional', ['b']), edge('failure', ['c']), edge('required', ['b'])];
    expect(verdictOf(edges, { b: aborted, c: completed })).toEqual(
      skips('skipped since "c" did not fail', null),
    );
  });

  it('passes the root cause on however many nodes are skipped in a row', () => {
    let outcome: NodeOutcome = aborted;
    for (const node of ['a', 'b', 'c']) {
      const verdict = verdictOf([edge('required', [node])], { [node]: outcome });
      expect(verdict).toEqual(sinceFailed);
      if (verdict.run) return;
      outcome = { statusCode: 'skipped', status: verdict.reason, cause: verdict.cause };
    }
  });

  it('says so where an outcome came without a reason', () => {
    const silent: NodeOutcome = { statusCode: 'aborted', status: null };
    expect(verdictOf([edge('required', ['a'])], { a: silent })).toMatchObject({
      reason: 'skipped since "a" failed: no reason was given',
    });
    expect(verdictOf([edge('settled', ['a'])], { a: silent })).toEqual(
      runs({ status: 'failed', error: 'no reason was given' }),
    );
  });

  it('tells a value that is undefined from none', () => {
    const nothing: NodeOutcome = { statusCode: 'completed', value: undefined };
    expect(verdictOf([edge('required', ['a'])], { a: nothing })).toEqual(runs(undefined));
    expect(verdictOf([edge('any', ['a', 'b'])], { a: nothing, b: completed })).toEqual(
      runs(undefined),
    );
  });
});
