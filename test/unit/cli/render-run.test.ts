import { describe, expect, test } from 'vitest';
import { renderRun, type Screen, type ShownNode } from '../../../src/cli/render-run.js';
import { NO_COUNTS } from '../../../src/run/run-status.js';
import type { RunTree } from '../../../src/run/run-tree.js';

const NOW = 1_000_000;
const SCREEN: Screen = { nowMs: NOW, columns: 100, rows: 24, rates: new Map() };

function ago(seconds: number): Date {
  return new Date(NOW - seconds * 1_000);
}

function node(path: string, fields: Partial<ShownNode> = {}): ShownNode {
  return {
    node: path,
    kind: 'task',
    statusCode: 'pending',
    status: null,
    startedAt: null,
    finishedAt: null,
    ...fields,
  };
}

function done(path: string, seconds: number): ShownNode {
  return node(path, { statusCode: 'completed', startedAt: ago(seconds), finishedAt: ago(0) });
}

function tree(...nodes: ShownNode[]): RunTree {
  return {
    id: 'etl/42',
    graph: 'etl',
    version: 1,
    statusCode: 'in-progress',
    status: null,
    startedAt: ago(65),
    finishedAt: null,
    nodes,
  };
}

describe('renderRun', () => {
  test('shows a node a line, with state, duration and what stopped it', () => {
    const lines = renderRun(
      tree(
        done('extract', 1.2),
        node('load', { statusCode: 'aborted', status: 'boom', startedAt: ago(5) }),
        node('tell', { statusCode: 'skipped', status: 'skipped since "load" failed: boom' }),
        node('ok', { kind: 'event', startedAt: ago(4) }),
        node('later'),
      ),
      SCREEN,
    );
    expect(lines).toEqual([
      'etl/42  in-progress  1m 05s  3/5 done  1 failed',
      '✓ extract  completed  1.2s',
      '✗ load     aborted    5.0s  boom',
      '– tell     skipped          skipped since "load" failed: boom',
      '… ok       waiting    4.0s',
      '· later    pending',
    ]);
  });

  test('shows items of maps with a bar, failures, and the time left at their rate', () => {
    const items = { ...NO_COUNTS, completed: 29, aborted: 1, 'in-progress': 10, pending: 20 };
    const each = node('each', {
      kind: 'map',
      statusCode: 'in-progress',
      items,
      startedAt: ago(30),
    });
    const [, line] = renderRun(tree(each), { ...SCREEN, rates: new Map([['each', 2]]) });
    expect(line).toBe('▸ each  in-progress  30s  [######------] 30/60  50%  ETA 15s  1 failed');
    const [, unmeasured] = renderRun(tree(each), SCREEN);
    expect(unmeasured).not.toContain('ETA');
  });

  test('shows what a handler has said of how far it is, until it has ended', () => {
    const progress = { done: 3, total: 4, message: 'page\n3' };
    const running = node('read', { statusCode: 'in-progress', startedAt: ago(1), progress });
    expect(renderRun(tree(running), SCREEN)[1]).toMatch(/\[#########---\] 3\/4 {2}75% {2}page 3$/);
    const endless = { ...running, progress: { done: 3 } };
    expect(renderRun(tree(endless), SCREEN)[1]).toMatch(/1\.0s {2}3$/);
    expect(renderRun(tree({ ...done('read', 1), progress }), SCREEN)[1]).toMatch(/1\.0s$/);
  });

  test('indents sub-graphs and spawned runs', () => {
    const lines = renderRun(
      tree(
        node('sub', { kind: 'graph' }),
        node('sub/a'),
        node('x'),
        node('x/~spawned/0', { kind: 'graph' }),
        node('x/~spawned/0/y'),
      ),
      SCREEN,
    );
    expect(lines.slice(1).map((line) => line.replace(/ +pending$/, ''))).toEqual([
      '· sub',
      '  · a',
      '· x',
      '  · spawned 0',
      '    · y',
    ]);
  });

  test('keeps to the lines of the terminal: failures and what runs are shown, the rest is summed up', () => {
    const many = Array.from({ length: 50 }, (_, i) => done(`n${i}`, 1));
    const running = node('running', { statusCode: 'in-progress', startedAt: ago(1) });
    const failed = node('sub/failed', { statusCode: 'aborted', status: 'boom' });
    const all = tree(...many, running, node('sub', { statusCode: 'completed' }), failed);
    const lines = renderRun(all, { ...SCREEN, rows: 6 });
    expect(lines).toHaveLength(5);
    expect(lines.slice(1).map((line) => line.trim().split(/ {2,}/)[0])).toEqual([
      '✓ n0',
      '▸ running',
      // Its parent is not shown, so its path is.
      '✗ sub/failed',
      '50 more completed',
    ]);
    for (const rows of [1, 2, 3, 10, 54, 55]) {
      expect(renderRun(all, { ...SCREEN, rows }).length).toBeLessThanOrEqual(Math.max(1, rows - 1));
    }
    expect(renderRun(all, { ...SCREEN, rows: Number.POSITIVE_INFINITY })).toHaveLength(54);
  });

  test('cuts lines to the width, and lets no text steer the terminal', () => {
    const status = `\u001b[2J${'x'.repeat(200)}`;
    const bad = node('bad', { statusCode: 'aborted', status });
    const lines = renderRun(tree(bad), { ...SCREEN, columns: 40 });
    expect(lines.every((line) => line.length <= 39)).toBe(true);
    expect(lines.join('')).not.toContain('\u001b');
    expect(lines[1]?.endsWith('…')).toBe(true);
  });

  test('shows no negative duration where the clock of the database is ahead', () => {
    const running = node('a', { statusCode: 'in-progress', startedAt: ago(-5) });
    expect(renderRun(tree(running), SCREEN)[1]).toBe('▸ a  in-progress  0ms');
  });
});
