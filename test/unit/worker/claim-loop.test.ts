import { expect, test } from 'vitest';
import { noopLogger } from '../../../src/logger.js';
import type { OwnedTask } from '../../../src/store/task-store.js';
import { ClaimLoop } from '../../../src/worker/claim-loop.js';

const MAX_TASKS = 10;

function owned(count: number): OwnedTask[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `t${i}`,
    token: `token${i}`,
    action: 'work',
    body: null,
    queue: 'default',
    priority: 0,
    numSignalledFailures: 0,
    numTries: 1,
    maxTries: null,
    deadline: null,
    maxDurationMs: null,
  }));
}

/** Lets what has been resolved have its consequences. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A loop over a store whose claims end when the test says so, with how many tasks it says. */
async function startLoop(room = () => 100) {
  const inFlight: ((tasks: OwnedTask[]) => void)[] = [];
  const accepted: number[] = [];
  const loop = new ClaimLoop({
    store: {
      ownTasks: () =>
        new Promise((resolve) => {
          inFlight.push(resolve);
        }),
      waitForReady: (_, { signal }) =>
        new Promise((resolve) => signal?.addEventListener('abort', () => resolve(false))),
    },
    request: { actorId: 'me', actions: ['work'] },
    maxTasks: MAX_TASKS,
    waitTimeMs: 1,
    maxIdleMs: 1,
    errWaitTimeMs: 1,
    logger: noopLogger,
    room,
    onOwned: (tasks) => accepted.push(tasks.length),
  });
  loop.start();
  await turn();
  return {
    loop,
    accepted,
    numInFlight: () => inFlight.length,
    /** Ends the oldest claim and lets what follows from it happen. */
    async end(count: number) {
      inFlight.shift()?.(owned(count));
      await turn();
    },
  };
}

test('one claim is in flight until three in a row came back full, then two', async () => {
  const { end, numInFlight } = await startLoop();
  const seen: number[] = [];
  for (let i = 0; i < 5; i++) {
    seen.push(numInFlight());
    await end(MAX_TASKS);
  }
  expect(seen).toEqual([1, 1, 1, 2, 2]);
});

test('a claim that comes back short ends the second', async () => {
  const { end, numInFlight } = await startLoop();
  for (let i = 0; i < 5; i++) await end(MAX_TASKS);
  expect(numInFlight()).toBe(2);
  await end(1);
  expect(numInFlight()).toBe(1);
});

test('nothing is asked for while there is no room, and at once when there is', async () => {
  let room = 0;
  const { loop, numInFlight } = await startLoop(() => room);
  await turn();
  expect(numInFlight()).toBe(0);
  room = MAX_TASKS;
  loop.roomGrew();
  await turn();
  expect(numInFlight()).toBe(1);
});

test('a stop waits for the claims in flight, and their tasks are handed over', async () => {
  const { loop, end, accepted } = await startLoop();
  for (let i = 0; i < 4; i++) await end(MAX_TASKS);
  const stopped = loop.stop();
  await end(3);
  await end(2);
  await stopped;
  expect(accepted.slice(-2)).toEqual([3, 2]);
});
