import { describe, expect, it } from 'vitest';
import { ActionManager, defineActor } from '../../src/index.js';
import { range, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const NUM_TARGETS = 12_000;

/** Signals to so many that their sender leaves them on their way. */
function fanOut(action: string) {
  const ids = range(NUM_TARGETS).map((i) => `part/${i}`);
  return [
    task('first', { action: 'first', toSignalAfter: ids }),
    ...ids.map((id) => task(id, { action, toSignalAfter: ['done'] })),
    task('done', { action: null }),
  ];
}

async function numOnTheirWay(): Promise<number> {
  const { rows } = await t.pool.query('select count(*)::integer as count from outgoing_signal');
  return rows[0].count;
}

describe('a fan-out to more than a transaction signals', () => {
  it('is performed while the rest is still being signalled, each task once', async () => {
    const store = t.namespace();
    await store.insertTasks(fanOut('part'));
    const performed = new Map<string, number>();
    let numLeftAtFirst = 0;
    const actor = defineActor('all', {
      first: async () => {},
      part: async ({ id }) => {
        if (performed.size === 0) numLeftAtFirst = await numOnTheirWay();
        performed.set(id, (performed.get(id) ?? 0) + 1);
      },
    });
    await using manager = new ActionManager(store, actor);
    await manager.start();

    expect(await store.waitFor('done')).toMatchObject({ statusCode: 'completed' });
    expect(performed.size).toBe(NUM_TARGETS);
    expect([...performed.values()].filter((count) => count !== 1)).toEqual([]);
    expect(numLeftAtFirst).toBeGreaterThan(0);
    expect(await numOnTheirWay()).toBe(0);
  });

  it('goes on where the process that ended its first task is gone', async () => {
    const store = t.namespace();
    await store.insertTasks(fanOut('part'));
    {
      await using gone = new ActionManager(store, defineActor('gone', { first: async () => {} }));
      const ended = store.waitFor('first');
      await gone.start();
      await ended;
    }
    const actor = defineActor('next', { part: async () => {} });
    await using manager = new ActionManager(store, actor);
    await manager.start();
    expect(await store.waitFor('done')).toMatchObject({ statusCode: 'completed' });
  });

  it('wakes a worker that sleeps, and that performs nothing of it', async () => {
    const store = t.namespace();
    const actor = defineActor('asleep', { first: async () => {}, other: async () => {} });
    await using manager = new ActionManager(store, actor, { waitTimeMs: 60_000 });
    await manager.start();
    await store.insertTasks(fanOut('nobody performs this'));
    await store.waitFor('first');
    await expect
      .poll(() => store.getTask('part/11999'), { timeout: 20_000 })
      .toMatchObject({ numSignals: 1 });
    await expect.poll(numOnTheirWay, { timeout: 20_000 }).toBe(0);
  });
});
