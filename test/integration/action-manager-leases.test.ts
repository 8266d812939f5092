import { describe, expect, it, vi } from 'vitest';
import { InvalidTokenError } from '../../src/index.js';
import { alteredStore, gate } from '../support/altered-store.js';
import { eventually, range, rejection, statuses, task } from '../support/factories.js';
import { startManager as start } from '../support/start-manager.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
/** Long enough for a heartbeat, a third of it, to come in time on a machine that is busy. */
const LEASE_MS = 1_500;

describe('leases', () => {
  it('are kept over many of their lengths while a handler runs', async () => {
    const store = t.namespace();
    await store.insertTasks([task('slow')]);
    const { opened, open } = gate();
    const handle = vi.fn(() => opened);
    await start(store, handle, { maxDurationMs: LEASE_MS });
    await eventually(() => expect(handle).toHaveBeenCalled());
    const first = (await store.getTask('slow'))?.deadline?.getTime() ?? 0;
    await eventually(async () => {
      const thief = { actorId: 'thief', actions: ['work'], maxTasks: 1 };
      expect(await store.ownTasks(thief)).toEqual([]);
      const deadline = (await store.getTask('slow'))?.deadline?.getTime() ?? 0;
      expect(deadline).toBeGreaterThan(first + 2 * LEASE_MS);
    });
    open();
    expect(await store.waitFor('slow')).toMatchObject({ statusCode: 'completed' });
    expect(handle).toHaveBeenCalledOnce();
  });

  it.each(['cancelled', 'deleted'])(
    'that are lost because the task was %s fire the signal',
    async (how) => {
      const store = t.namespace();
      await store.insertTasks([task('a'), task('next')]);
      const reasons: unknown[] = [];
      let isBegun = false;
      await start(
        store,
        ({ id }, { signal }) => {
          if (id === 'next') return;
          isBegun = true;
          return new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              reasons.push(signal.reason);
              resolve(undefined);
            });
          });
        },
        { maxDurationMs: LEASE_MS, workers: 1 },
      );
      await eventually(() => expect(isBegun).toBe(true));
      await (how === 'deleted' ? store.deleteTasks(['a']) : store.cancelTasks(['a']));
      await store.waitFor('next', { timeoutMs: 10_000 });
      expect(reasons).toHaveLength(1);
      expect(reasons[0]).toBeInstanceOf(InvalidTokenError);
      expect((await statuses(store)).a).toBe(how === 'deleted' ? undefined : 'cancelled');
    },
  );

  it('can be extended and asked about by a handler', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const beats: unknown[] = [];
    await start(store, async (_, { heartbeat }) => {
      beats.push(await heartbeat());
      await store.cancelTasks(['a']);
      beats.push(await rejection(heartbeat()));
    });
    await eventually(() => expect(beats).toHaveLength(2));
    expect(beats[1]).toBeInstanceOf(InvalidTokenError);
  });
});

describe('a store that fails', () => {
  it('once at a return is asked again: the work is not done twice', async () => {
    const store = t.namespace();
    await store.insertTasks(range(20).map((i) => task(`t${i}`)));
    let failures = 0;
    const failing = alteredStore(store, {
      returnTasks: (returns) => {
        if (failures++ === 0) return Promise.reject(new Error('connection lost'));
        return store.returnTasks(returns);
      },
    });
    const handle = vi.fn();
    await start(failing, handle);
    await store.waitFor(range(20).map((i) => `t${i}`));
    expect(failures).toBeGreaterThan(1);
    expect(handle).toHaveBeenCalledTimes(20);
  });

  it('at owning is asked again after errWaitTimeMs', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    let failures = 0;
    const failing = alteredStore(store, {
      ownTasks: (request) =>
        failures++ < 3 ? Promise.reject(new Error('too many clients')) : store.ownTasks(request),
    });
    await start(failing, () => {}, { errWaitTimeMs: 10 });
    expect(await store.waitFor('a')).toMatchObject({ statusCode: 'completed' });
  });

  it('at returns until the lease is over lets the task go, to be done again', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    let isDown = true;
    const failing = alteredStore(store, {
      returnTasks: (returns) =>
        isDown ? Promise.reject(new Error('connection lost')) : store.returnTasks(returns),
      extendTaskDeadlines: () => Promise.reject(new Error('connection lost')),
    });
    const handle = vi.fn(() => {
      isDown = handle.mock.calls.length < 2;
    });
    await start(failing, handle, { maxDurationMs: 300, errWaitTimeMs: 50 });
    expect(await store.waitFor('a', { timeoutMs: 10_000 })).toMatchObject({
      statusCode: 'completed',
    });
    expect(handle).toHaveBeenCalledTimes(2);
  });
});
