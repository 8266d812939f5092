// A run that starts in your transaction: the order and the run that ships it are there together, or not at all.
// `insertTasks` takes `tx` as well, for tasks without a graph.
import assert from 'node:assert/strict';
import pg from 'pg';
import { connect, graph } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';

const g = graph<{ order: string }>('shipping');
const pack = g.task('pack', { run: ({ input }) => `a parcel with ${input.order}` });
const ship = g.task('ship', { after: { pack }, run: ({ deps }) => `shipped ${deps.pack}` });
const shipping = g.outputs({ ship });

await using server = await startEmbedded();
const pool = new pg.Pool({ connectionString: server.connectionString });
pool.on('error', () => {}); // an idle connection was lost: the pool replaces it
await using box = await connect({ pool });
await box.migrate();
await pool.query('create table orders (id text primary key)');

async function placeOrder(order: string, isPaid: boolean): Promise<void> {
  const tx = await pool.connect();
  try {
    await tx.query('begin');
    await tx.query('insert into orders values ($1)', [order]);
    await box.start(shipping, { order }, { tx, runId: order });
    await tx.query(isPaid ? 'commit' : 'rollback');
  } finally {
    tx.release();
  }
}

await placeOrder('order-1', true);
await placeOrder('order-2', false);

await using worker = box.worker([shipping]);
await worker.start();
const { ship: shipped } = await box.run(shipping, 'order-1').result();
assert.equal(shipped, 'shipped a parcel with order-1');
await assert.rejects(box.run(shipping, 'order-2').status(), { code: 'TASK_NOT_FOUND' });
const { rows } = await pool.query('select id from orders');
assert.deepEqual(rows, [{ id: 'order-1' }]);
console.log(`${shipped}; of order-2 there is neither a row nor a run`);

await worker.stop();
await box.close();
await pool.end();
