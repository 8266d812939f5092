import { describe, expect, it } from 'vitest';
import { graph, type RunEvent, startRun } from '../../../src/index.js';
import { eventually } from '../../support/factories.js';
import { Gate, startWorker } from '../../support/run-graphs.js';
import { useTestBox } from '../../support/test-box.js';

const t = useTestBox();

/** A node that reports and waits, and one that spawns and does the same. */
function reporting() {
  const running = new Gate<number>();
  const page = graph('page').outputs({});
  const g = graph('told');
  const a = g.task('a', {
    run: ({ progress }) => {
      progress({ done: 1, total: 2, message: 'half' });
      return running.pass();
    },
  });
  const b = g.task('b', {
    spawns: [page],
    run: async ({ progress, spawn }) => {
      progress({ done: 3 });
      await spawn(page);
      return running.pass();
    },
  });
  return { definition: g.outputs({ a, b }), running };
}

const HALF = { done: 1, total: 2, message: 'half' };

describe('the progress of a node', () => {
  it('is told among the nodes, while it is in progress', async () => {
    const store = t.namespace();
    const { definition, running } = reporting();
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined);
    await eventually(async () =>
      expect(await run.nodes()).toMatchObject([
        { node: 'a', statusCode: 'in-progress', progress: HALF },
        { node: 'b', statusCode: 'in-progress', progress: { done: 3 } },
      ]),
    );
    running.open(1);
    await run.result();
    for (const node of await run.nodes()) expect(node).not.toHaveProperty('progress');
  });

  it('is an event', async () => {
    const store = t.namespace();
    const { definition, running } = reporting();
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined);
    const seen: RunEvent[] = [];
    for await (const event of run.events({ intervalMs: 50 })) {
      seen.push(event);
      const numReported = seen.filter((one) => one.type === 'progress' && one.progress).length;
      if (numReported === 2) running.open(1);
    }
    expect(seen).toContainEqual({ type: 'progress', node: 'a', progress: HALF });
    expect(seen).toContainEqual(
      expect.objectContaining({ type: 'progress', node: 'b', progress: { done: 3 } }),
    );
    expect(seen.filter((one) => one.type === 'progress' && one.node === 'a')).toHaveLength(1);
  });
});
