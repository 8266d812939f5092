// What partitions of `task` by creation time would cost and gain, on tables of a few columns that are otherwise alike: one with
// its ids as primary key, and partitioned ones, whose key has to be (id, created_at), so that who knows an id alone looks into
// every partition. All have a million finished rows; tasks worked on are in the newest partition.
//
// Measured on two cores, Postgres 18, medians of 100 batches of 500 updates by id: see docs/performance.md.
// Usage: tsx benchmarks/partitions.ts [rows]

import pg from 'pg';
import { startEmbedded } from 'signalbox/embedded';
import { median } from './statistics.js';

const [numRows = 1_000_000] = process.argv.slice(2).map(Number);
const NUM_PARTITIONS = [0, 1, 4, 16, 64];
const NUM_BATCHES = 100;
const BATCH_SIZE = 500;
/** When autovacuum comes: a fifth. */
const NUM_DELETED = numRows / 5;
const DAY = '2026-01-01';

const server = await startEmbedded();
const client = new pg.Client({ connectionString: server.connectionString });
await client.connect();

/** `numPartitions` days, of which the first is the oldest; 0: one table. */
async function createTable(name: string, numPartitions: number): Promise<void> {
  const isOne = numPartitions === 0;
  await client.query(`
    create table ${name} (
      id text collate "C" not null, created_at timestamptz not null, status smallint not null,
      num_tries integer not null, token uuid, body jsonb,
      primary key (id${isOne ? '' : ', created_at'})
    ) ${isOne ? 'with (fillfactor = 30)' : 'partition by range (created_at)'}`);
  for (let day = 0; day < numPartitions; day++) {
    await client.query(`
      create table ${name}_${day} partition of ${name}
      for values from (date '${DAY}' + ${day}) to (date '${DAY}' + ${day + 1})
      with (fillfactor = 30)`);
  }
  const perDay = Math.ceil(numRows / Math.max(1, numPartitions));
  await client.query(`
    insert into ${name}
    select 'run/' || n, date '${DAY}' + ((n - 1) / ${perDay}), 2, 1, null, '{"some": "body", "of": 100, "bytes": 0}'
    from generate_series(1, ${numRows}) n`);
  await client.query(`analyze ${name}`);
}

/** Microseconds a row: the newest ones, by their ids alone, in batches. */
async function updateRows(name: string): Promise<number> {
  const text = `update ${name} t set status = 1, num_tries = t.num_tries + 1
    from (select unnest($1::text[]) as id order by 1) g where t.id = g.id`;
  await client.query(
    'set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off',
  );
  const times: number[] = [];
  for (let batch = 0; batch < NUM_BATCHES; batch++) {
    const first = numRows - (batch + 1) * BATCH_SIZE;
    const ids = Array.from({ length: BATCH_SIZE }, (_, i) => `run/${first + i + 1}`);
    const startedAt = performance.now();
    const { rowCount } = await client.query({ name: `update-${name}`, text, values: [ids] });
    times.push((1_000 * (performance.now() - startedAt)) / BATCH_SIZE);
    if (rowCount !== BATCH_SIZE) throw new Error(`${rowCount} rows were updated`);
  }
  return median(times);
}

/** Microseconds a row that is gone: the oldest, deleted in batches and vacuumed, or dropped with their partition. */
async function cleanRows(name: string, numPartitions: number): Promise<number> {
  const startedAt = performance.now();
  let numGone = NUM_DELETED;
  if (numPartitions > 1) {
    numGone = Math.ceil(numRows / numPartitions);
    await client.query(`drop table ${name}_0`);
  } else {
    for (let n = 0; n < NUM_DELETED; n += BATCH_SIZE) {
      const ids = Array.from({ length: BATCH_SIZE }, (_, i) => `run/${n + i + 1}`);
      await client.query(`delete from ${name} where id = any ($1)`, [ids]);
    }
    await client.query(`vacuum ${name}`);
  }
  return (1_000 * (performance.now() - startedAt)) / numGone;
}

for (const numPartitions of NUM_PARTITIONS) {
  const name = `task_${numPartitions}`;
  await createTable(name, numPartitions);
  await client.query('checkpoint');
  await updateRows(name); // it warms up
  const updateUs = (await updateRows(name)).toFixed(1);
  const cleanUs = (await cleanRows(name, numPartitions)).toFixed(3);
  console.log(JSON.stringify({ numPartitions, updateUs, cleanUs }));
  await client.query(`drop table ${name}`);
}
await client.end();
await server.stop();
