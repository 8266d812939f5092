import { describe, expect, it, onTestFinished } from 'vitest';
import { ActionManager, defineActor } from '../../../src/index.js';
import { Faults, withFaults } from '../../../src/testing/index.js';
import { gate } from '../../support/altered-store.js';
import { range, statuses, task } from '../../support/factories.js';
import { startManager } from '../../support/start-manager.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { useTestDatabase } from '../../support/test-database.js';

const t = useTestDatabase();
const LEASE_MS = 1_500;
const HEARTBEAT_MS = 500;

/** Performs 'work' until its signal fires, 'later' at once; by a connection that can be closed. */
async function startBehindProxy(name: string) {
  const proxy = await TcpProxy.start(t.db.connectionString);
  const box = await t.db.connect({ connectionString: proxy.connectionString });
  const begun = gate();
  const fired = new Promise<{ at: number; reason: unknown }>((resolve) => {
    const actor = defineActor('behind', {
      work: async (_, { signal }) => {
        begun.open();
        await new Promise<void>((end) => {
          signal.addEventListener('abort', () => {
            resolve({ at: performance.now(), reason: signal.reason });
            end();
          });
        });
      },
      later: async () => {},
    });
    const manager = new ActionManager(box.withPrefix(name), actor, {
      maxDurationMs: LEASE_MS,
      heartbeatMs: HEARTBEAT_MS,
      errWaitTimeMs: 100,
    });
    onTestFinished(async () => {
      proxy.restore();
      await manager.stop({ timeoutMs: 0 });
      await box.close();
      await proxy[Symbol.asyncDispose]();
    });
    void manager.start();
  });
  return { proxy, begun: begun.opened, fired };
}

describe('a manager that cannot reach the database until a deadline', () => {
  it.each(['cut', 'stall'] as const)(
    'fires the signal before another owns the task: connections %s',
    async (how) => {
      const store = t.db.namespace(how);
      await store.insertTasks([task('a')]);
      const { proxy, begun, fired } = await startBehindProxy(how);
      await begun;
      const owned = new Promise<number>((resolve) => {
        void startManager(store, () => resolve(performance.now()), { waitTimeMs: 20 });
      });
      proxy[how]();
      const [{ at, reason }, ownedAt] = await Promise.all([fired, owned]);
      expect(at).toBeLessThan(ownedAt);
      expect(reason).toBeInstanceOf(Error);
      expect(await store.waitFor('a')).toMatchObject({ statusCode: 'completed' });
      expect(await store.getTask('a')).toMatchObject({ numTries: 2 });

      proxy.restore();
      await store.insertTasks([task('b', { action: 'later' })]);
      expect(await store.waitFor('b', { timeoutMs: 30_000 })).toMatchObject({
        statusCode: 'completed',
      });
    },
  );
});

describe('a task that is cancelled while its handler runs', () => {
  it('fires its signal at the next heartbeat, that of others not', async () => {
    const faults = new Faults();
    const store = t.db.namespace();
    const ids = range(3).map((i) => `t${i}`);
    await store.insertTasks(ids.map((id) => task(id)));
    const fired: string[] = [];
    const [allBegun, end] = [gate(), gate()];
    let numBegun = 0;
    const firing = new Promise<number>((resolve) => {
      void startManager(
        withFaults(store, faults),
        async ({ id }, { signal }) => {
          signal.addEventListener('abort', () => {
            fired.push(id);
            resolve(faults.numCalls('extendTaskDeadlines'));
          });
          if (++numBegun === ids.length) allBegun.open();
          await end.opened;
        },
        // A third of the lease would be ten minutes.
        { maxDurationMs: 1_800_000, heartbeatMs: 200 },
      );
    });
    await allBegun.opened;
    await store.cancelTasks(['t1']);
    const numBefore = faults.numCalls('extendTaskDeadlines');
    // One heartbeat may have been on its way.
    expect((await firing) - numBefore).toBeLessThanOrEqual(2);
    expect(fired).toEqual(['t1']);
    end.open();
    await store.waitFor(ids);
    expect(await statuses(store)).toEqual({ t0: 'completed', t1: 'cancelled', t2: 'completed' });
  });
});
