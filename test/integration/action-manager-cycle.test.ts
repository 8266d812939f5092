import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import {
  ActionManager,
  defineActor,
  type OwnedTask,
  type TaskReturn,
  type TaskStore,
} from '../../src/index.js';
import { gate } from '../support/altered-store.js';
import { eventually, range } from '../support/factories.js';

/** What ownTasks gives at each call in turn; after the last, nothing. */
type Turns = readonly number[];

/**
 * A store in memory that hands out so many tasks at each call. `idle` resolves when it has been asked after its
 * last turn, or, with `stopAtWait`, when so many waits for work have begun.
 */
function fakeStore(turns: Turns, stopAtWait = Number.POSITIVE_INFINITY) {
  const idle = gate();
  const returned: TaskReturn[] = [];
  let numCalls = 0;
  let numWaits = 0;
  const toTask = (i: number): OwnedTask => ({
    id: `call${numCalls}/task${i}`,
    token: `token${numCalls}/${i}`,
    action: 'work',
    body: null,
    queue: 'default',
    priority: 0,
    numSignalledFailures: 0,
    numTries: 1,
    maxTries: null,
    deadline: null,
    maxDurationMs: null,
    isBegun: true,
    slots: null,
  });
  const store: Partial<TaskStore> = {
    async ownTasks() {
      const count = turns[numCalls++];
      if (count === undefined) idle.open();
      return range(count ?? 0).map(toTask);
    },
    async returnTasks(returns) {
      returned.push(...returns);
      return returns.map(({ id, statusCode }) => ({ id, ok: true, statusCode }));
    },
    async waitForReady(_, { timeoutMs, signal }) {
      if (++numWaits === stopAtWait) {
        idle.open();
        await delay(10_000, undefined, signal && { signal }).catch(() => {});
      } else {
        await delay(timeoutMs, undefined, signal && { signal }).catch(() => {});
      }
      return false;
    },
    registerBodySchema() {},
  };
  return { store: store as TaskStore, returned, idle: idle.opened };
}

describe('the cycle of owning, handling and returning (parade 12)', () => {
  it.each<[string, Turns, number, number | undefined]>([
    ['nothing', [], 0, undefined],
    ['50 tasks', [50], 50, undefined],
    ['50 and then 30', [50, 30], 80, undefined],
    ['50, twice nothing, and 30 after it was stopped', [50, 0, 0, 30], 50, 2],
  ])('with %s handles and returns each once', async (_, turns, expected, stopAtWait) => {
    const { store, returned, idle } = fakeStore(turns, stopAtWait);
    const handle = vi.fn();
    const manager = new ActionManager(store, defineActor('actor', { work: handle }), {
      workers: 5,
      channelSize: 100,
      maxTasks: 50,
      waitTimeMs: 30,
    });
    await manager.start();
    await idle;
    await eventually(() => expect(returned).toHaveLength(expected));
    await manager.stop();
    expect(returned).toHaveLength(expected);
    expect(handle).toHaveBeenCalledTimes(expected);
    expect(new Set(returned.map(({ id }) => id)).size).toBe(expected);
    expect(returned.every(({ statusCode }) => statusCode === 'completed')).toBe(true);
  });

  it('asks for no more than there is room for', async () => {
    const { store, returned, idle } = fakeStore([50, 30, 30, 30]);
    const asked: number[] = [];
    const manager = new ActionManager(
      {
        ...store,
        ownTasks: (request) => {
          asked.push(request.maxTasks);
          return store.ownTasks(request);
        },
      },
      defineActor('actor', { work: () => {} }),
      { workers: 2, channelSize: 60, maxTasks: 50, waitTimeMs: 5 },
    );
    await manager.start();
    await idle;
    await eventually(() => expect(returned).toHaveLength(140));
    await manager.stop();
    expect(Math.max(...asked)).toBe(50);
    expect(Math.min(...asked)).toBeGreaterThan(0);
  });
});
