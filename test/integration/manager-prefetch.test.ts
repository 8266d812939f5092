import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  type HeldTask,
  LeaseLostError,
  type OwnRequest,
  PREFETCH,
  type TaskStore,
} from '../../src/index.js';
import { alteredStore, gate } from '../support/altered-store.js';
import { eventually, range, statuses, task } from '../support/factories.js';
import { startManager as start } from '../support/start-manager.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const ids = (count: number) => range(count).map((i) => `t${i}`);

/** The store, and what it was asked for. */
function recorded(store: TaskStore) {
  const asked: OwnRequest[] = [];
  const begun: string[][] = [];
  const seen = alteredStore(store, {
    ownTasks(request) {
      asked.push(request);
      return store.ownTasks(request);
    },
    beginTasks(held) {
      begun.push(held.map(({ id }) => id));
      return store.beginTasks(held);
    },
  });
  return { seen, asked, begun };
}

/** A store that gives as many tasks as it is told, of which only the first begins at once. */
function generous(store: TaskStore, maxTasks: number): TaskStore {
  return alteredStore(store, {
    ownTasks: (request) => store.ownTasks({ ...request, maxTasks, numBegun: 1 }),
  });
}

describe('long tasks', () => {
  /** With two workers, handlers that take longer than this leave room for none ahead. */
  const LONG_MS = 2 * PREFETCH.horizonMs;

  it('are shared evenly by two managers: none owns what it cannot begin', async () => {
    const store = t.namespace();
    await store.insertTasks(ids(10).map((id) => task(id)));
    const begunBy: string[][] = [[], []];
    const ends = new Map(ids(10).map((id) => [id, gate()]));
    const managers = await Promise.all(
      begunBy.map((begun) => {
        const handle = async ({ id }: { id: string }) => {
          begun.push(id);
          await Promise.all([ends.get(id)?.opened, delay(LONG_MS)]);
        };
        return start(store, handle, { workers: 2 });
      }),
    );
    for (const numEach of [2, 3, 4, 5]) {
      await eventually(async () => {
        expect(begunBy.map((begun) => begun.length)).toEqual([numEach, numEach]);
        for (const manager of managers) {
          expect(manager.stats()).toMatchObject({ waiting: 0, held: 2 });
        }
      });
      const codes = Object.values(await statuses(store));
      expect(codes.filter((code) => code === 'in-progress')).toHaveLength(4);
      for (const begun of begunBy) ends.get(begun[numEach - 2] ?? '')?.open();
    }
    for (const { open } of ends.values()) open();
    await store.waitFor(ids(10));
  });
});

describe('long tasks that come after short ones', () => {
  it('do not wait for busy workers: they go back, no try used up, and others perform them', async () => {
    const store = t.namespace();
    const begun: string[][] = [[], []];
    const end = gate();
    const perform = (by: number) =>
      start(
        store,
        async ({ id }) => {
          if (id.startsWith('short')) return;
          begun[by]?.push(id);
          await end.opened;
        },
        { workers: 5 },
      );
    const first = await perform(0);
    const short = range(200).map((i) => `short${i}`);
    await store.insertTasks(short.map((id) => task(id)));
    await store.waitFor(short);
    await store.insertTasks(ids(10).map((id) => task(id, { maxTries: 1 })));
    await eventually(() =>
      expect(first.stats()).toMatchObject({ waiting: 0, performing: 5, held: 5 }),
    );
    await perform(1);
    await eventually(() => expect(begun[1]).toHaveLength(5));
    end.open();
    for (const { statusCode } of await store.waitFor(ids(10))) expect(statusCode).toBe('completed');
    for (const { numTries } of await store.getTasks(ids(10))) expect(numTries).toBe(1);
  });
});

describe('short tasks', () => {
  // How soon depends on the machine: handlers that wait for a core look longer than they are.
  it('are owned in full batches once their pace is known, nearly all of them begun', async () => {
    const store = t.namespace();
    const { seen, asked, begun } = recorded(store);
    await store.insertTasks(ids(3_000).map((id) => task(id)));
    await start(seen, () => {});
    await store.waitFor(ids(3_000));
    expect(asked[0]).toMatchObject({ maxTasks: 5, tasksPerSlot: 1 });
    expect(asked.map(({ maxTasks }) => maxTasks)).toContain(500);
    expect(begun.flat().length).toBeLessThan(1_000);
  });

  it('name their manager as the holder of slots, one for each worker', async () => {
    const store = t.namespace();
    const { seen, asked } = recorded(store);
    await store.insertTasks([task('a')]);
    await start(seen, () => {}, { workers: 3, pollStrategy: 'created' });
    await store.waitFor('a');
    const [{ holder, maxSlots, pollStrategy } = { holder: '' }] = asked;
    expect(holder).toMatch(/^[0-9a-f-]{36}$/);
    expect([maxSlots, pollStrategy]).toEqual([3, 'created']);
    expect(new Set(asked.map((one) => one.holder)).size).toBe(1);
  });
});

describe('tasks owned ahead', () => {
  it('begin in the database before their handlers do, several in a statement', async () => {
    const store = t.namespace();
    const { seen, begun } = recorded(store);
    await store.insertTasks(ids(200).map((id) => task(id)));
    const told = new Set<string>();
    const tooEarly: string[] = [];
    const watched = alteredStore(generous(seen, 200), {
      async beginTasks(held: readonly HeldTask[]) {
        const confirmed = await seen.beginTasks(held);
        for (const id of confirmed) told.add(id);
        return confirmed;
      },
    });
    await start(watched, ({ id }) => {
      if (id !== 't0' && !told.has(id)) tooEarly.push(id);
    });
    await store.waitFor(ids(200));
    expect(tooEarly).toEqual([]);
    expect(begun.flat().sort()).toEqual(ids(200).slice(1).sort());
    expect(begun.length).toBeLessThan(60);
  });

  it('that are not ours any more when their turn comes are not performed', async () => {
    const store = t.namespace();
    await store.insertTasks(ids(3).map((id) => task(id)));
    const { opened, open } = gate();
    const performed: string[] = [];
    const manager = await start(
      generous(store, 3),
      async ({ id }) => {
        performed.push(id);
        await opened;
      },
      { workers: 1 },
    );
    const lost: unknown[] = [];
    manager.on('lost', ({ task: { id }, reason }) => lost.push([id, reason]));
    await eventually(() => expect(performed).toEqual(['t0']));
    await store.cancelTasks(['t1']);
    open();
    await store.waitFor(['t0', 't2']);
    expect(performed).toEqual(['t0', 't2']);
    expect(lost).toEqual([['t1', expect.any(LeaseLostError)]]);
  });

  it('wait for a database that does not answer, and are not performed until it does', async () => {
    const store = t.namespace();
    await store.insertTasks(ids(3).map((id) => task(id)));
    let numFailures = 0;
    const failing = alteredStore(generous(store, 3), {
      beginTasks: (held) =>
        ++numFailures < 3 ? Promise.reject(new Error('connection lost')) : store.beginTasks(held),
    });
    const errors: string[] = [];
    const manager = await start(failing, () => {}, { workers: 1, errWaitTimeMs: 10 });
    manager.on('error', ({ call }) => errors.push(call));
    await store.waitFor(ids(3));
    expect(errors).toEqual(['begin', 'begin']);
  });

  it('are handed back at a stop without using up a try, even while they are announced', async () => {
    const store = t.namespace();
    await store.insertTasks(ids(4).map((id) => task(id, { maxTries: 1 })));
    const announced = gate();
    const hung = alteredStore(generous(store, 4), {
      beginTasks: () => {
        announced.open();
        return new Promise(() => {});
      },
    });
    const manager = await start(hung, () => {}, { workers: 2 });
    await announced.opened;
    await store.waitFor('t0');
    await manager.stop();
    for (const { id, statusCode, numTries } of await store.getTasks(ids(4))) {
      expect([statusCode, numTries]).toEqual(id === 't0' ? ['completed', 1] : ['pending', 0]);
    }
  });
});

describe('tasks of a limited key', () => {
  it('are performed no more at once than the limit, over two managers; others go on', async () => {
    const store = t.namespace();
    const limited = ids(40);
    await store.insertTasks([
      ...limited.map((id) => task(id, { limitKey: 'api', limit: 3, priority: 1 })),
      ...range(40).map((i) => task(`free${i}`)),
    ]);
    let running = 0;
    let most = 0;
    for (const _ of range(2)) {
      await start(
        store,
        async ({ id }) => {
          if (!id.startsWith('t')) return;
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 2));
          running--;
        },
        { workers: 4 },
      );
    }
    await store.waitFor([...limited, ...range(40).map((i) => `free${i}`)], { timeoutMs: 40_000 });
    expect(most).toBeLessThanOrEqual(3);
  });

  it('are shared: a manager whose tasks fill all slots leaves some to one that waits for them', async () => {
    const store = t.namespace();
    await store.insertTasks(ids(10_000).map((id) => task(id, { limitKey: 'api', limit: 4 })));
    const performed = [0, 0];
    for (const i of range(2)) {
      await start(
        store,
        async () => {
          await new Promise((resolve) => setTimeout(resolve, 1));
          performed[i] = (performed[i] ?? 0) + 1;
        },
        { workers: 4 },
      );
      // The first has all four before the second asks.
      if (i === 0) await eventually(async () => expect(performed[0]).toBeGreaterThan(0));
    }
    await store.waitFor(ids(10_000), { timeoutMs: 40_000 });
    expect(Math.min(...performed)).toBeGreaterThan(500);
  });
});
