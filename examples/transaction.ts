// Transactional start: the order and its tasks appear together, or not at all.
import assert from 'node:assert/strict';
import pg from 'pg';
import { connect } from 'signalbox';
import { startEmbedded } from 'signalbox/embedded';

await using server = await startEmbedded();
const pool = new pg.Pool({ connectionString: server.connectionString });
pool.on('error', () => {}); // an idle connection was lost: the pool replaces it
await using box = await connect({ pool });
await box.migrate();
await pool.query('create table orders (id text primary key)');

async function placeOrder(id: string, isPaid: boolean): Promise<void> {
  const tx = await pool.connect();
  try {
    await tx.query('begin');
    await tx.query('insert into orders values ($1)', [id]);
    await box.insertTasks(
      [
        { id: `${id}/pack`, action: 'pack', toSignalAfter: [`${id}/ship`] },
        { id: `${id}/ship`, action: 'ship' },
      ],
      { tx },
    );
    await tx.query(isPaid ? 'commit' : 'rollback');
  } finally {
    tx.release();
  }
}

await placeOrder('order-1', true);
await placeOrder('order-2', false);
assert.equal((await box.getTasks(['order-1/pack', 'order-1/ship'])).length, 2);
assert.equal(await box.getTask('order-2/pack'), null);
console.log('order-1 and its tasks are there; of order-2 there is nothing');
await box.close();
await pool.end();
