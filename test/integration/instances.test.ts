import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/index.js';
import { toTasks } from '../../src/workflow/wf-format.js';
import { startManager } from '../support/start-manager.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const folder = fileURLToPath(new URL('../../../shared/instances/', import.meta.url));
const files = existsSync(folder)
  ? readdirSync(folder).filter((file) => file.endsWith('.json'))
  : [];

describe.skipIf(files.length === 0)('a real workflow', () => {
  it.each(files)('%s runs to its end, every task after all of its parents', async (file) => {
    const workflow: Json = JSON.parse(await readFile(folder + file, 'utf8'));
    const tasks = toTasks(workflow, { speedUp: 1, exec: false }).map((one) => ({
      ...one,
      action: 'work',
    }));
    const store = t.box.withPrefix(file);
    await store.insertTasks(tasks);

    // The handlers' own clock: one tick for each begin and each end.
    let clock = 0;
    const times = new Map<string, { begun: number; ended: number }>();
    await startManager(
      store,
      async ({ id }) => {
        expect(times.has(id)).toBe(false);
        const time = { begun: ++clock, ended: Number.POSITIVE_INFINITY };
        times.set(id, time);
        await Promise.resolve();
        time.ended = ++clock;
      },
      { workers: 50 },
    );
    const outcomes = await store.waitFor(tasks.map(({ id }) => id));

    expect(outcomes.filter(({ statusCode }) => statusCode !== 'completed')).toEqual([]);
    expect(times.size).toBe(tasks.length);
    let numEdges = 0;
    for (const { id, toSignalAfter = [] } of tasks) {
      for (const child of toSignalAfter) {
        numEdges++;
        const [parent, follower] = [times.get(id), times.get(child)];
        expect(parent?.ended).toBeLessThan(follower?.begun ?? 0);
      }
    }
    expect(numEdges).toBeGreaterThan(0);
  });
});
