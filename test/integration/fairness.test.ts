import { describe, expect, it } from 'vitest';
import { drain, giveBack, own, range, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

const startsWith = (letter: string) => (one: { id: string }) => one.id.startsWith(letter);

describe('fairness between tenants', () => {
  it('gives ten tasks of B in the next claim of 500, though 100,000 of A came before', async () => {
    const store = t.namespace();
    await store.insertTasks(range(100_000).map((i) => task(`a${i}`, { fairKey: 'A' })));
    expect(await own(store, { maxTasks: 500 })).toHaveLength(500);
    await store.insertTasks(range(10).map((i) => task(`b${i}`, { fairKey: 'B' })));
    const owned = await own(store, { maxTasks: 500 });
    expect(owned).toHaveLength(500);
    expect(owned.filter(startsWith('b'))).toHaveLength(10);
    await t.pool.query('truncate task, ready, timer, keyed_lane');
  });

  it('gives each of many tenants an equal share, and tasks without a key theirs', async () => {
    const store = t.namespace();
    await store.insertTasks([
      ...range(400).map((i) => task(`a${i}`, { fairKey: 'A' })),
      ...range(400).map((i) => task(`b${i}`, { fairKey: 'B' })),
      ...range(400).map((i) => task(`plain${i}`)),
    ]);
    const owned = await own(store, { maxTasks: 300 });
    expect(['a', 'b', 'p'].map((letter) => owned.filter(startsWith(letter)).length)).toEqual([
      100, 100, 100,
    ]);
  });

  it('puts the higher priority first all the same', async () => {
    const store = t.namespace();
    await store.insertTasks([
      ...range(20).map((i) => task(`a${i}`, { fairKey: 'A', priority: 1 })),
      ...range(20).map((i) => task(`b${i}`, { fairKey: 'B' })),
      ...range(20).map((i) => task(`plain${i}`)),
    ]);
    expect((await own(store, { maxTasks: 20 })).every(startsWith('a'))).toBe(true);
  });

  it('leaves the cursor of tasks without a key where it belongs', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a0', { fairKey: 'A' }), task('plain0')]);
    expect(await own(store)).toHaveLength(2);
    await store.insertTasks(range(10).map((i) => task(`plain${i + 1}`)));
    await store.insertTasks(range(5_000).map((i) => task(`a${i + 1}`, { fairKey: 'A' })));
    // Nearly all of these are of A, far behind: they say nothing of where the others stand.
    const first = await own(store, { maxTasks: 5 });
    const second = await own(store, { maxTasks: 2_000 });
    expect([...first, ...second].filter(startsWith('p'))).toHaveLength(10);
    expect(await drain(store)).toHaveLength(5_010 - 2_005);
  });

  it('performs every task once with four workers and 300 tenants, and forgets their lanes', async () => {
    const store = t.box.withPrefix('tenants');
    await store.insertTasks(
      range(3_000).map((i) => task(`t${i}`, { fairKey: `tenant${(i * i) % 300}` })),
    );
    const seen: string[] = [];
    await Promise.all(
      range(4).map(async () => {
        while (seen.length < 3_000) {
          const owned = await own(store, { maxTasks: 40 });
          seen.push(...owned.map(({ id }) => id));
          await giveBack(store, owned);
        }
      }),
    );
    expect(new Set(seen).size).toBe(3_000);
    expect(seen).toHaveLength(3_000);
    await own(store);
    const { rows } = await t.pool.query(`select * from keyed_lane where action = 'tenants.work'`);
    expect(rows).toEqual([]);
  });
});
