import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import {
  anyOf,
  type Builder,
  graph,
  type Node,
  onFailure,
  PermanentError,
  startRun,
} from '../../../src/index.js';
import { startWorker } from '../../support/run-graphs.js';
import { useTestBox } from '../../support/test-box.js';

/*
 * The table of reasons in docs/graphs.md, row by row: each builds what happened, and a node `end` that is skipped for it.
 */
const t = useTestBox();
const WAIT = { timeoutMs: 20_000 };
const DOCS = new URL('../../../docs/graphs.md', import.meta.url);

type G = Builder<void, void>;

const boom = () => {
  throw new PermanentError('boom');
};
const end = (g: G, after: Record<string, Node<unknown>>) => g.task('end', { after, run: () => 1 });

const rows: [happened: string, build: (g: G) => void, reason: string][] = [
  [
    '`extract` failed',
    (g) => {
      const extract = g.task('extract', { run: boom });
      end(g, { extract });
    },
    'skipped since "extract" failed: boom',
  ],
  [
    '`extract` failed, what lies between skipped',
    (g) => {
      const extract = g.task('extract', { run: boom });
      const one = g.task('one', { after: { extract }, run: () => 1 });
      const two = g.sleep('two', 0, { after: { one } });
      end(g, { two });
    },
    'skipped since "extract" failed: boom',
  ],
  [
    '`extra` was skipped by its `if`',
    (g) => {
      const extra = g.task('extra', { if: () => false, run: () => 1 });
      const between = g.task('between', { after: { extra }, run: () => 1 });
      end(g, { between });
    },
    'skipped since "extra" was skipped: its condition is false',
  ],
  [
    '`load` was cancelled',
    (g) => {
      const load = g.task('load', { queue: 'nobody', run: () => 1 });
      end(g, { load });
    },
    'skipped since "load" was cancelled: by hand',
  ],
  [
    '`onFailure(load)`, which completed',
    (g) => {
      const load = g.task('load', { run: () => 1 });
      g.task('end', { after: { load: onFailure(load) }, run: () => 1 });
    },
    'skipped since "load" did not fail',
  ],
  [
    'none of `anyOf(a, b)` completed',
    (g) => {
      const a = g.task('a', { run: boom });
      const b = g.task('b', { if: () => false, run: () => 1 });
      g.task('end', { after: { any: anyOf(a, b) }, run: () => 1 });
    },
    'skipped since none of "a", "b" completed: "a" failed: boom',
  ],
];

it.each(rows)('where %s, the reason is the table’s', async (happened, build, reason) => {
  const documented = (await readFile(DOCS, 'utf8'))
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  expect(documented).toContainEqual(['', happened, `\`${reason}\``, '']);

  const store = t.namespace();
  const g = graph('reasons');
  build(g);
  const definition = g.outputs({});
  await startWorker(store, [definition]);
  const run = await startRun(store, definition, undefined, { runId: '1' });
  await store.cancelTasks(
    ['reasons/1/load'].filter(() => reason.includes('by hand')),
    {
      status: 'by hand',
    },
  );
  await store.waitFor(run.id, WAIT);
  const [node] = (await run.nodes()).filter((one) => one.node === 'end');
  expect(node).toMatchObject({ statusCode: 'skipped', status: reason });
});
