import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { TargetStartedError, UnknownTargetError } from '../errors.js';
import { copyColumns, rowValues } from './copy-row.js';
import { type Database, inSchema, type Query } from './database.js';
import { writeLimits } from './lanes.js';
import type { PreparedInsert } from './prepared-insert.js';

/** Ids in one statement: enough that the round trip does not count, few enough for an array of moderate size. */
const IDS_PER_STATEMENT = 10_000;

/**
 * Writes a prepared batch within the transaction that is open on `client`, which must not be pipelined (COPY takes
 * the whole connection), and leaves that open. Reads the rest of the batch on the way.
 *
 * Rejects with UnknownTargetError, TargetStartedError, what is wrong with the rest of the batch, the error of an id that
 * exists, or of enqueue_tasks: then the transaction can only be rolled back.
 */
export async function writeInsert(
  database: Database,
  client: pg.ClientBase,
  prepared: PreparedInsert,
): Promise<void> {
  const query: Query = (text, values) => database.rows(text, values, client);
  const isReadBefore = prepared.isRead;
  if (isReadBefore) await checkOutsideTargets(query, prepared);
  if (isReadBefore && prepared.count === 1) await insertOne(query, prepared);
  else await copyRows(client, database.schema, prepared);
  if (!isReadBefore) {
    await checkOutsideTargets(query, prepared);
    await correctTotals(query, prepared);
  }
  await enqueue(query, prepared);
}

/**
 * Without locks: it saves writing a batch that is bound to fail, where that is known before, and names every id that is
 * wrong, not only those of one page. enqueue_tasks checks again under its locks.
 */
async function checkOutsideTargets(query: Query, prepared: PreparedInsert): Promise<void> {
  const unknown: string[] = [];
  const started: string[] = [];
  for (const { ids } of prepared.outsideTargets(IDS_PER_STATEMENT)) {
    const rows = await query(
      `select g.id, t.id is not null
      from unnest($1::text[]) with ordinality as g (id, position)
      left join lateral (select o.* from signalbox.task o where o.id = g.id limit 1) as t on true
      where t.id is null or t.status_code <> 'pending' or t.num_signals = t.total_dependencies
      order by g.position`,
      [ids],
    );
    for (const [id, isKnown] of rows) (isKnown === 't' ? started : unknown).push(id ?? '');
  }
  if (unknown.length > 0) throw new UnknownTargetError(unknown);
  if (started.length > 0) throw new TargetStartedError(started);
}

async function copyRows(
  client: pg.ClientBase,
  schema: string,
  prepared: PreparedInsert,
): Promise<void> {
  const columns = copyColumns.join(', ');
  const copy = copyFrom(
    inSchema(`copy signalbox.task (${columns}) from stdin with (format binary)`, schema),
  );
  const data = prepared.copyData();
  try {
    await pipeline(data, client.query(copy));
  } finally {
    // Cut short, it may still be reading on: two at a time, this one and that of another attempt, would be in each other's way.
    await data.return(undefined);
  }
}

/**
 * COPY costs a round trip more than a statement. A single task, transaction included, takes 1.0 ms by COPY, 0.7 ms so
 * and 0.45 ms prepared. From 10 tasks up there is no such gain: 0.95 ms by COPY, 0.7 to 1.05 ms from arrays.
 */
async function insertOne(query: Query, prepared: PreparedInsert): Promise<void> {
  const columns = copyColumns.join(', ');
  const parameters = copyColumns.map((_, i) => `$${i + 1}`).join(', ');
  for await (const row of prepared.rows()) {
    await query(`insert into signalbox.task (${columns}) values (${parameters})`, rowValues(row));
  }
}

async function correctTotals(query: Query, prepared: PreparedInsert): Promise<void> {
  for (const { ids, counts } of prepared.belated(IDS_PER_STATEMENT)) {
    await query('select signalbox.set_totals($1, $2)', [ids, counts]);
  }
}

/** Targets first, in the order of their ids over all pages: that is the order in which they are locked. */
async function enqueue(query: Query, prepared: PreparedInsert): Promise<void> {
  if (prepared.limits.size > 0) await writeLimits(query, prepared.limits);
  const enqueueTasks = 'select signalbox.enqueue_tasks($1, $2, $3, $4)';
  for (const { ids, counts } of prepared.outsideTargets(IDS_PER_STATEMENT)) {
    await query(enqueueTasks, [[], ids, counts, []]);
  }
  for (const keyed of prepared.keyed(IDS_PER_STATEMENT))
    await query(enqueueTasks, [[], [], [], keyed]);
  for (const ids of prepared.starts(IDS_PER_STATEMENT))
    await query(enqueueTasks, [ids, [], [], []]);
}
