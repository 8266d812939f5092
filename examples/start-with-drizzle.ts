// Drizzle: the order is inserted by drizzle, the run starts in the same transaction.
// A drizzle that is made on one client of the pool transacts on that client, which is `tx` for signalbox.
import assert from 'node:assert/strict';
import { TransactionRollbackError } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { pgTable, text } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { connect, graph } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';

const orders = pgTable('orders', { id: text().primaryKey() });

const g = graph<{ order: string }>('shipping');
const ship = g.task('ship', { run: ({ input }) => `${input.order} shipped` });
const shipping = g.outputs({ ship });

await using server = await startEmbedded();
const pool = new pg.Pool({ connectionString: server.connectionString });
pool.on('error', () => {}); // an idle connection was lost: the pool replaces it
await using box = await connect({ pool });
await box.migrate();
await pool.query('create table orders (id text primary key)');

async function placeOrder(order: string, isPaid: boolean): Promise<void> {
  const client = await pool.connect();
  try {
    await drizzle({ client }).transaction(async (tx) => {
      await tx.insert(orders).values({ id: order });
      await box.start(shipping, { order }, { tx: client, runId: order });
      if (!isPaid) tx.rollback();
    });
  } finally {
    client.release();
  }
}

await placeOrder('order-1', true);
await assert.rejects(placeOrder('order-2', false), TransactionRollbackError);

await using worker = box.worker([shipping]);
await worker.start();
const { ship: shipped } = await box.run(shipping, 'order-1').result();
assert.equal(shipped, 'order-1 shipped');
await assert.rejects(box.run(shipping, 'order-2').status(), { code: 'TASK_NOT_FOUND' });
assert.deepEqual(await drizzle({ client: pool }).select().from(orders), [{ id: 'order-1' }]);
console.log(`${shipped}; of order-2 there is neither a row nor a run`);

await worker.stop();
await box.close();
await pool.end();
