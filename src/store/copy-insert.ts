import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { TargetStartedError, UnknownTargetError } from '../errors.js';
import { copyColumns, rowValues } from './copy-row.js';
import { type PrepareOptions, prepareInsert } from './prepare-insert.js';
import type { PreparedInsert } from './prepared-insert.js';
import type { TaskInput } from './task-store.js';

export { type PreparedInsert, prepareInsert };

/** Ids in one statement: enough that the round trip does not count, few enough for an array of moderate size. */
const IDS_PER_STATEMENT = 10_000;

export interface WriteOptions {
  /** Keep the statements prepared on the connection. Not behind a pooler that does not know them. Default false. */
  preparedStatements?: boolean;
}

export interface CopyInsertOptions extends PrepareOptions, WriteOptions {
  schema: string;
}

/** Runs a statement in the transaction of the insert. */
type Run = <Row extends pg.QueryResultRow>(text: string, values: unknown[]) => Promise<Row[]>;

/**
 * Inserts a batch within the transaction that is open on `client`, which must not be pipelined: COPY takes the
 * whole connection.
 *
 * Rejects as prepareInsert and writeInsert do. prepareInsert needs no connection: where reading the tasks takes
 * long, call it first and take a connection afterwards.
 */
export async function copyInsert(
  client: pg.ClientBase,
  tasks: Iterable<TaskInput> | AsyncIterable<TaskInput>,
  options: CopyInsertOptions,
): Promise<{ inserted: number }> {
  const prepared = await prepareInsert(tasks, options);
  try {
    return await writeInsert(client, options.schema, prepared, options);
  } finally {
    await prepared.dispose();
  }
}

/**
 * Writes a prepared batch within the transaction that is open on `client`, and leaves that open.
 *
 * Rejects with UnknownTargetError or TargetStartedError before anything is written. After that with the driver's
 * error, mostly a unique violation for an id, or SB002, SB003 or SB006: then the transaction can only be rolled back.
 */
export async function writeInsert(
  client: pg.ClientBase,
  schema: string,
  prepared: PreparedInsert,
  options: WriteOptions = {},
): Promise<{ inserted: number }> {
  if (prepared.count === 0) return { inserted: 0 };
  const run = runner(client, options.preparedStatements ?? false);
  const quotedSchema = pg.escapeIdentifier(schema);
  await checkOutsideTargets(run, quotedSchema, prepared);
  if (prepared.count === 1) await insertOne(run, quotedSchema, prepared);
  else await copyRows(client, quotedSchema, prepared);
  await enqueue(run, quotedSchema, prepared);
  return { inserted: prepared.count };
}

function runner(client: pg.ClientBase, isPreparing: boolean): Run {
  return async <Row extends pg.QueryResultRow>(text: string, values: unknown[]) => {
    const name = isPreparing ? { name: statementName(text) } : {};
    const { rows } = await client.query<Row>({ text, values, ...name });
    return rows;
  };
}

/** One name always stands for one text, whatever the schema. */
function statementName(text: string): string {
  return `signalbox_${createHash('sha1').update(text).digest('base64url')}`;
}

/**
 * Without locks: it saves writing a batch that is bound to fail, and names every id that is wrong, not only those
 * of one page. enqueue_tasks checks again under its locks.
 */
async function checkOutsideTargets(
  run: Run,
  schema: string,
  prepared: PreparedInsert,
): Promise<void> {
  const unknown: string[] = [];
  const started: string[] = [];
  for (const { ids } of prepared.outsideTargets(IDS_PER_STATEMENT)) {
    const rows = await run<{ id: string; is_known: boolean }>(
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
  await pipeline(prepared.copyData(), client.query(copy));
}

/**
 * COPY costs a round trip more than a statement. A single task, transaction included, takes 1.0 ms by COPY, 0.7 ms so
 * and 0.45 ms prepared. From 10 tasks up there is no such gain: 0.95 ms by COPY, 0.7 to 1.05 ms from arrays.
 */
async function insertOne(run: Run, schema: string, prepared: PreparedInsert): Promise<void> {
  const columns = copyColumns.join(', ');
  const parameters = copyColumns.map((_, i) => `$${i + 1}`).join(', ');
  for await (const row of prepared.rows()) {
    await run(`insert into ${schema}.task (${columns}) values (${parameters})`, rowValues(row));
  }
}

/** Targets first, in the order of their ids over all pages: that is the order in which they are locked. */
async function enqueue(run: Run, schema: string, prepared: PreparedInsert): Promise<void> {
  const enqueueTasks = `select ${schema}.enqueue_tasks($1::text[], $2::text[], $3::integer[])`;
  for (const { ids, counts } of prepared.outsideTargets(IDS_PER_STATEMENT)) {
    await run(enqueueTasks, [[], ids, counts]);
  }
  for (const ids of prepared.candidates(IDS_PER_STATEMENT)) {
    await run(enqueueTasks, [ids, [], []]);
  }
}
