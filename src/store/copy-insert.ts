import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { TargetStartedError, UnknownTargetError } from '../errors.js';
import { copyColumns } from './copy-row.js';
import { type PreparedInsert, type PrepareOptions, prepareInsert } from './prepare-insert.js';
import type { TaskInput } from './task-store.js';

export { type PreparedInsert, prepareInsert };

/** Ids in one statement: enough that the round trip does not count, few enough for an array of moderate size. */
const IDS_PER_STATEMENT = 10_000;

export interface CopyInsertOptions extends PrepareOptions {
  schema: string;
}

/**
 * Inserts a batch within the transaction that is open on `client`, which must not be pipelined: COPY takes the whole connection.
 *
 * Rejects as prepareInsert and writeInsert do. prepareInsert needs no connection: where reading the tasks takes long,
 * call it first and take a connection afterwards.
 */
export async function copyInsert(
  client: pg.ClientBase,
  tasks: Iterable<TaskInput> | AsyncIterable<TaskInput>,
  options: CopyInsertOptions,
): Promise<{ inserted: number }> {
  const prepared = await prepareInsert(tasks, options);
  try {
    return await writeInsert(client, options.schema, prepared);
  } finally {
    await prepared.dispose();
  }
}

/**
 * Writes a prepared batch within the transaction that is open on `client`. The transaction is left open.
 *
 * Rejects with UnknownTargetError or TargetStartedError before anything is written; with the driver's error, mostly a unique
 * violation for an id or SB002, SB003 or SB006, afterwards. The transaction can then only be rolled back.
 */
export async function writeInsert(
  client: pg.ClientBase,
  schema: string,
  prepared: PreparedInsert,
): Promise<{ inserted: number }> {
  if (prepared.count === 0) return { inserted: 0 };
  const quotedSchema = pg.escapeIdentifier(schema);
  await checkOutsideTargets(client, quotedSchema, prepared);
  await copyRows(client, quotedSchema, prepared);
  await enqueue(client, quotedSchema, prepared);
  return { inserted: prepared.count };
}

/**
 * Without locks: it saves writing a batch that is bound to fail, and names every id that is wrong, not those of one page.
 * enqueue_tasks checks again under its locks.
 */
async function checkOutsideTargets(
  client: pg.ClientBase,
  schema: string,
  prepared: PreparedInsert,
): Promise<void> {
  const unknown: string[] = [];
  const started: string[] = [];
  for (const { ids } of prepared.outsideTargets(IDS_PER_STATEMENT)) {
    const { rows } = await client.query<{ id: string; is_known: boolean }>(
      `select g.id, t.id is not null as is_known
      from unnest($1::text[]) with ordinality as g (id, position)
      left join ${schema}.task t on t.id = g.id
      where t.id is null or t.status_code <> 'pending' or t.num_signals = t.total_dependencies
      order by g.position`,
      [ids],
    );
    for (const row of rows) (row.is_known ? started : unknown).push(row.id);
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
  const copy = copyFrom(`copy ${schema}.task (${columns}) from stdin with (format binary)`);
  await pipeline(Readable.from(prepared.copyData()), client.query(copy));
}

/** Targets first, in the order of their ids over all pages: that is the order in which they are locked. */
async function enqueue(
  client: pg.ClientBase,
  schema: string,
  prepared: PreparedInsert,
): Promise<void> {
  const enqueueTasks = `select ${schema}.enqueue_tasks($1::text[], $2::text[], $3::integer[])`;
  for (const { ids, counts } of prepared.outsideTargets(IDS_PER_STATEMENT)) {
    await client.query(enqueueTasks, [[], ids, counts]);
  }
  for (const ids of prepared.candidates(IDS_PER_STATEMENT)) {
    await client.query(enqueueTasks, [ids, [], []]);
  }
}
