import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { LiveTree } from '../../../src/cli/live-tree.js';
import { Output } from '../../../src/cli/output.js';
import type { ShownNode } from '../../../src/cli/render-run.js';
import { readWatchedTree } from '../../../src/cli/watched-tree.js';
import { graph } from '../../../src/graph/builder.js';
import type { RunTree } from '../../../src/run/run-tree.js';
import type { RunPart, StatusCode } from '../../../src/store/task-store.js';

const NODE: ShownNode = {
  node: 'a',
  kind: 'task',
  statusCode: 'in-progress',
  status: null,
  startedAt: new Date(),
  finishedAt: null,
};

function treeOf(statusCode: StatusCode): RunTree {
  const node = { ...NODE, statusCode, finishedAt: statusCode === 'completed' ? new Date() : null };
  const times = { startedAt: NODE.startedAt, finishedAt: node.finishedAt };
  return { id: 'g/1', graph: 'g', version: 1, statusCode, status: null, ...times, nodes: [node] };
}

function liveTree(read: () => Promise<RunTree>) {
  const stderr = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true });
  const output = new Output({ stdout: new PassThrough(), stderr, isJson: false });
  const view = new LiveTree(output, read);
  onTestFinished(() => view.stop({ isOver: false }));
  return { view, stderr, written: () => String(stderr.read() ?? '') };
}

test('a live tree draws what it sees, and leaves the end as it is read last', async () => {
  let tree = treeOf('in-progress');
  const { view, stderr, written } = liveTree(async () => tree);
  view.start();
  await once(stderr, 'readable');
  expect(written()).toMatch(/g\/1 {2}in-progress .*\n▸ a {2}in-progress/);
  tree = treeOf('completed');
  await view.stop({ isOver: true });
  const [, last = ''] = written().split('\u001b[J');
  expect(last).toMatch(/^g\/1 {2}completed .*\n✓ a {2}completed .*\n$/);
});

test('a live tree goes on where a look fails', async () => {
  let looks = 0;
  const { view, stderr, written } = liveTree(async () => {
    looks += 1;
    if (looks === 1) throw new Error('no connection');
    return treeOf('in-progress');
  });
  view.start();
  await once(stderr, 'readable');
  expect([looks, written()]).toEqual([2, expect.stringContaining('g/1')]);
});

test('a live tree that was never started says nothing of a run that is not over', async () => {
  const { view, written } = liveTree(async () => treeOf('completed'));
  await view.stop({ isOver: false });
  expect(written()).toBe('');
});

test('a watched tree has what handlers have said', async () => {
  const g = graph('g');
  const definition = g.outputs({ a: g.task('a', { run: () => 1 }) });
  const part: Omit<RunPart, 'id' | 'action'> = {
    statusCode: 'pending',
    status: null,
    startedAt: null,
    finishedAt: null,
    numItems: null,
  };
  const store = {
    listRunParts: async () => [
      { id: 'g/1', action: 'g@1.5ad0/~run', ...part },
      { id: 'g/1/a', action: 'g@1.5ad0/a', ...part },
    ],
  };
  const progress = { done: 1, total: 2 };
  const run = { id: 'g/1', nodes: async () => [{ ...NODE, progress }] };
  const { nodes } = await readWatchedTree(store, run, definition);
  expect(nodes).toEqual([{ ...NODE, statusCode: 'pending', startedAt: null, progress }]);
});
