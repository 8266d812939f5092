// Testing: a database a suite, a namespace a test, time that is moved, and connections that break when told to.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { defineActor, type TaskStore } from 'signalbox';
import { Faults, startTestDatabase, type TestDatabase, withFaults } from 'signalbox/testing';

// What is to be tested: an order is charged, with retries, and a day later the customer is asked how it was.
async function placeOrder(store: TaskStore, id: string, now: Date): Promise<void> {
  const tomorrow = new Date(now.getTime() + 86_400_000);
  await store.insertTasks([
    {
      id: `${id}/charge`,
      action: 'charge',
      maxTries: 3,
      retry: { delayMs: 60_000 },
      toSignalAfter: [`${id}/ask`],
    },
    { id: `${id}/ask`, action: 'ask', startAfter: tomorrow, runWhen: 'all_succeeded' },
  ]);
}

function shop(bank: { charge(id: string): void }, asked: string[]) {
  return defineActor('shop', {
    charge: async ({ id }) => bank.charge(id),
    ask: async ({ id }) => {
      asked.push(id);
    },
  });
}

let db: TestDatabase;
let store: TaskStore;
before(async () => {
  db = await startTestDatabase();
});
after(() => db.stop());
beforeEach(async () => {
  store = db.namespace();
  await db.clock.reset();
});

test('a customer is asked a day after the charge', async () => {
  const asked: string[] = [];
  const actor = shop({ charge: () => {} }, asked);
  await placeOrder(store, 'order-1', await db.clock.now());

  await db.drain(store, actor);
  assert.deepEqual(asked, []);

  await db.clock.advance(86_400_000);
  await db.drain(store, actor);
  assert.deepEqual(asked, ['order-1/ask']);
});

test('a bank that is away is asked again after a minute', async () => {
  let calls = 0;
  const bank = {
    charge() {
      if (++calls < 3) throw new Error('the bank is away');
    },
  };
  await placeOrder(store, 'order-1', await db.clock.now());

  const report = await db.drain(store, shop(bank, []), { timers: true, throwOnFailure: true });
  assert.deepEqual([report.completed, report.retried], [2, 2]);
});

test('a card that is refused is not charged for ever, and nobody is asked', async () => {
  const asked: string[] = [];
  const bank = {
    charge() {
      throw new Error('refused');
    },
  };
  await placeOrder(store, 'order-1', await db.clock.now());

  const { aborted, outcomes } = await db.drain(store, shop(bank, asked), { timers: true });
  assert.equal(aborted, 1);
  assert.equal(outcomes.at(-1)?.status, 'refused');
  assert.equal((await store.getTask('order-1/ask'))?.statusCode, 'skipped');
  assert.deepEqual(asked, []);
});

test('nobody is charged twice when the connection breaks as the task is returned', async () => {
  const charged: string[] = [];
  await placeOrder(store, 'order-1', await db.clock.now());
  const faults = new Faults().failNext('returnTasks', undefined, { when: 'after' });

  await db.drain(withFaults(store, faults), shop({ charge: (id) => charged.push(id) }, []));
  assert.deepEqual(charged, ['order-1/charge']);
});
