import { expect, test } from 'vitest';
import type { OwnedTask } from '../../../src/store/task-store.js';
import { ClaimLoop } from '../../../src/worker/claim-loop.js';
import { ClaimTurns } from '../../../src/worker/claim-turns.js';
import { ownedTask } from './owned-task.js';

const MAX_TASKS = 10;

function owned(count: number): OwnedTask[] {
  return Array.from({ length: count }, (_, i) => ownedTask(`t${i}`));
}

/** Lets what has been resolved have its consequences. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A timer alone may fire early by as long as the turn of the event loop has taken that set it: less than a sleep, then. */
function whenOver(durationMs: number, resolve: () => void): void {
  const end = performance.now() + durationMs;
  const look = () => (performance.now() >= end ? resolve() : setTimeout(look, 1));
  look();
}

interface LoopOptions {
  readonly turns?: ClaimTurns;
  readonly actions?: () => readonly string[];
  /** Nothing wakes it; else its time is never up. */
  readonly isTimeUp?: boolean;
}

/** A loop over a store whose claims end when the test says so, with how many tasks it says. */
async function startLoop({
  turns = new ClaimTurns((besides) => Math.max(0, 100 - besides)),
  actions = () => ['work'],
  isTimeUp = false,
}: LoopOptions = {}) {
  const inFlight: ((tasks: OwnedTask[]) => void)[] = [];
  const accepted: number[] = [];
  const asked: (readonly string[])[] = [];
  const slept: (readonly string[])[] = [];
  const loop = new ClaimLoop({
    store: {
      ownTasks: (request) =>
        new Promise((resolve) => {
          asked.push(request.actions);
          inFlight.push(resolve);
        }),
      waitForReady: (request, { timeoutMs, signal }) =>
        new Promise((resolve) => {
          slept.push(request.actions);
          if (isTimeUp) whenOver(timeoutMs, () => resolve(false));
          signal?.addEventListener('abort', () => resolve(false));
        }),
    },
    actorId: 'me',
    actions,
    request: () => ({}),
    maxTasks: MAX_TASKS,
    waitTimeMs: 1,
    maxIdleMs: 1,
    errWaitTimeMs: 1,
    turns,
    onFailed: () => {},
    onOwned: ({ tasks }) => accepted.push(tasks.length),
  });
  loop.start();
  await turn();
  return {
    loop,
    accepted,
    asked,
    slept,
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
  const turns = new ClaimTurns(() => room);
  const { numInFlight } = await startLoop({ turns });
  expect(numInFlight()).toBe(0);
  room = MAX_TASKS;
  turns.roomGrew();
  await turn();
  expect(numInFlight()).toBe(1);
});

test('what one loop has asked for is not asked for by another', async () => {
  const turns = new ClaimTurns((besides) => Math.max(0, MAX_TASKS - besides));
  const [one, other] = [await startLoop({ turns }), await startLoop({ turns })];
  expect([one.numInFlight(), other.numInFlight()]).toEqual([1, 0]);
  await one.end(0);
  expect(other.numInFlight()).toBe(1);
});

test('a loop that always finds tasks leaves others their turn', async () => {
  const turns = new ClaimTurns((besides) => Math.max(0, MAX_TASKS - besides));
  const [busy, other] = [await startLoop({ turns }), await startLoop({ turns })];
  await busy.end(MAX_TASKS);
  expect([busy.numInFlight(), other.numInFlight()]).toEqual([0, 1]);
  await other.end(MAX_TASKS);
  expect([busy.numInFlight(), other.numInFlight()]).toEqual([1, 0]);
});

test('without an action nothing is asked for; the first one learned is, at once', async () => {
  const actions: string[] = [];
  const { loop, asked } = await startLoop({ actions: () => [...actions] });
  expect(asked).toEqual([]);
  actions.push('learned');
  loop.actorChanged();
  await turn();
  expect(asked).toEqual([['learned']]);
});

test('asleep for some actions, it is woken when there are others', async () => {
  let actions = ['open'];
  const { loop, asked, slept, end } = await startLoop({ actions: () => actions });
  await end(0);
  expect(slept).toEqual([['open']]);
  loop.roomGrew();
  await turn();
  expect(asked).toHaveLength(1);
  actions = ['open', 'was full'];
  loop.roomGrew();
  await expect.poll(() => asked).toEqual([['open'], ['open', 'was full']]);
});

test('claims ahead do not keep it from waiting for its turn', async () => {
  let room = 100;
  const turns = new ClaimTurns(() => room);
  const { loop, end, numInFlight, accepted } = await startLoop({ turns });
  for (let i = 0; i < 4; i++) await end(MAX_TASKS);
  room = 0;
  while (numInFlight() > 0) await end(MAX_TASKS);
  room = 100;
  turns.roomGrew();
  loop.roomGrew();
  await turn();
  room = 0;
  const before = accepted.length;
  while (numInFlight() > 0) await end(1);
  expect(accepted.length).toBeGreaterThan(before);
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

test('its time up, it says anew that it sleeps, and asks for nothing', async () => {
  const { loop, asked, slept, end } = await startLoop({ isTimeUp: true });
  await end(0);
  await expect.poll(() => slept.length).toBeGreaterThan(3);
  expect(asked).toHaveLength(1);
  await loop.stop();
});

test('after a claim that came back short the next waits for a return', async () => {
  const { loop, end, numInFlight } = await startLoop();
  await end(1);
  expect(numInFlight()).toBe(0);
  loop.returned();
  await turn();
  expect(numInFlight()).toBe(1);
});

test('or for a few milliseconds: handlers may take longer', async () => {
  const { end, numInFlight } = await startLoop();
  await end(1);
  await expect.poll(numInFlight).toBe(1);
});
