import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../src/index.js';
import { own, range, rejection, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

describe("the poll strategy 'created'", () => {
  it('owns what has been ready for longest, whatever its priority, action and tenant', async () => {
    const store = t.namespace();
    const kinds = [
      { action: 'a', priority: 5 },
      { action: 'b', priority: -5 },
      { action: 'a', priority: 0, fairKey: 'A' },
    ];
    const ids = range(60).map((i) => `t${i}`);
    for (const [i, id] of ids.entries()) {
      await store.insertTasks([{ id, ...(kinds[i % 3] ?? { action: 'a' }) }]);
    }
    const owned: string[] = [];
    const request = { actions: ['a', 'b'], maxTasks: 7, pollStrategy: 'created' } as const;
    for (let i = 0; i < 9; i++) owned.push(...(await own(store, request)).map(({ id }) => id));
    expect(owned).toEqual(ids);
  });

  it('lets each of several owners at once find tasks of its own', async () => {
    const store = t.namespace();
    await store.insertTasks(range(200).map((i) => task(`t${i}`, { priority: i % 3 })));
    const batches = await Promise.all(
      range(8).map(() => own(store, { maxTasks: 20, pollStrategy: 'created' })),
    );
    const ids = batches.flat().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(160);
  });

  it("that is unknown is refused; 'priority' is the default", async () => {
    const store = t.namespace();
    await store.insertTasks([task('low'), task('high', { priority: 1 })]);
    const unknown: string = 'newest';
    const error = await rejection(
      own(store, JSON.parse(JSON.stringify({ pollStrategy: unknown }))),
    );
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(String(error)).toContain("'priority' or 'created'");
    expect((await own(store, { pollStrategy: 'priority', maxTasks: 1 }))[0]?.id).toBe('high');
  });
});
