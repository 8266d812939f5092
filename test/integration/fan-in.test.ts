import { describe, expect, it } from 'vitest';
import { giveBack, own, range, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const NUM_PARTS = 20_000;
const NUM_SHARDS = 400;
const PARTS_IN_A_ROW = 100;
const NUM_OWNERS = 16;
const MAX_TASKS = 2000;

describe('a fan-in under load (parade 14)', () => {
  it('20,000 parts, 400 shards, 16 owners: each counted once, done exactly once', async () => {
    const store = t.namespace();
    const shardOf = (i: number) => Math.floor(i / PARTS_IN_A_ROW) % NUM_SHARDS;
    await store.insertTasks([
      ...range(NUM_PARTS).map((i) =>
        task(`in:${i}`, {
          action: 'part',
          body: { i },
          maxTries: 1,
          toSignalAfter: [`done:${shardOf(i)}`],
        }),
      ),
      ...range(NUM_SHARDS).map((shard) =>
        task(`done:${shard}`, { action: 'spin-down', toSignalAfter: ['done'] }),
      ),
      task('done', { action: 'done' }),
    ]);

    const counted = new Map<string, number>();
    let isDone = false;
    const owner = async (n: number) => {
      // 2,000 give or take 10 %, each owner its own.
      const maxTasks = Math.round(MAX_TASKS * (0.9 + (0.2 * n) / (NUM_OWNERS - 1)));
      const actions = ['part', 'spin-down', 'done'];
      while (!isDone) {
        const owned = await own(store, { actorId: `owner${n}`, actions, maxTasks });
        for (const { id, action } of owned) {
          counted.set(id, (counted.get(id) ?? 0) + 1);
          if (action === 'done') {
            isDone = true;
            expect(counted.size).toBe(NUM_PARTS + NUM_SHARDS + 1);
          }
        }
        await giveBack(store, owned);
      }
    };
    await Promise.all(range(NUM_OWNERS).map(owner));

    expect([...counted.values()].filter((count) => count !== 1)).toEqual([]);
    expect(await store.getTask('done')).toMatchObject({
      statusCode: 'completed',
      numSignals: NUM_SHARDS,
      numTries: 1,
    });
  });
});
