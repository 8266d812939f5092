import type pg from 'pg';
import { DuplicateTaskError, InvalidTaskError } from '../errors.js';
import type { BodySchemas } from './body-schemas.js';
import { writeInsert } from './copy-insert.js';
import type { Database } from './database.js';
import { toInterval } from './durations.js';
import { prepareInsert } from './prepare-insert.js';
import type { PreparedInsert } from './prepared-insert.js';
import { isDuplicateId, translateSqlError } from './sql-errors.js';
import type { TaskInput } from './task-store.js';

const ID_PAGE_SIZE = 10_000;

type Tasks = Iterable<TaskInput> | AsyncIterable<TaskInput>;

/** Checks a batch, then writes it in a transaction of its own, or under a savepoint of `tx`. Resolves with its size. */
export async function insertBatch(
  database: Database,
  tasks: Tasks,
  bodySchemas: BodySchemas,
  tx?: pg.ClientBase,
): Promise<number> {
  await using prepared = await prepare(tasks, bodySchemas);
  if (prepared.count === 0) return 0;
  await writing(database, prepared, tx, (client) => writeInsert(database, client, prepared));
  return prepared.count;
}

/** Inserts the task unless its key is taken; resolves with the id of the task that took it, null: this one. */
export async function insertOneUnique(
  database: Database,
  task: TaskInput & { uniqueKey: string },
  bodySchemas: BodySchemas,
  tx?: pg.ClientBase,
): Promise<string | null> {
  if (!task.uniqueKey) {
    throw new InvalidTaskError(task.id, 'uniqueKey', 'is missing; insertUnique needs one');
  }
  await using prepared = await prepare([task], bodySchemas);
  // Awaited here: what is prepared is disposed of when this function returns.
  return await writing(database, prepared, tx, async (client) => {
    const [row] = await database.rows(
      'select signalbox.claim_unique_key($1, $2, $3)',
      [
        task.uniqueKey,
        task.id,
        task.uniqueForMs === undefined ? null : toInterval(task.uniqueForMs),
      ],
      client,
    );
    if (row?.[0] != null) return row[0];
    await writeInsert(database, client, prepared);
    return null;
  });
}

function prepare(tasks: Tasks, bodySchemas: BodySchemas): Promise<PreparedInsert> {
  return prepareInsert(tasks, {
    validateBody: (action, id, body) => bodySchemas.validate(action, id, body),
  });
}

async function writing<T>(
  database: Database,
  prepared: PreparedInsert,
  tx: pg.ClientBase | undefined,
  write: (client: pg.ClientBase) => Promise<T>,
): Promise<T> {
  try {
    return await (tx ? underSavepoint(tx, () => write(tx)) : database.transaction(write));
  } catch (error) {
    // What is wrong with the batch is told first, wherever in it that stands.
    await prepared.readAll();
    if (!isDuplicateId(error)) throw translateSqlError(error, database.schema);
    throw new DuplicateTaskError(await existing(database, prepared, tx), { cause: error });
  }
}

/** A statement that fails would end the caller's transaction: a savepoint keeps it usable. */
async function underSavepoint<T>(tx: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await tx.query('savepoint signalbox_insert');
  try {
    const result = await work();
    await tx.query('release savepoint signalbox_insert');
    return result;
  } catch (error) {
    await tx.query('rollback to savepoint signalbox_insert');
    throw error;
  }
}

async function existing(
  database: Database,
  prepared: PreparedInsert,
  tx: pg.ClientBase | undefined,
): Promise<string[]> {
  const found: string[] = [];
  let page: string[] = [];
  const ask = async () => {
    const rows = await database.rows(
      'select t.id from signalbox.task t where t.id = any ($1) order by t.id',
      [page],
      tx,
    );
    found.push(...rows.flatMap(([id]) => id ?? []));
    page = [];
  };
  for (const id of prepared.ids()) {
    if (page.push(id) === ID_PAGE_SIZE) await ask();
  }
  await ask();
  return found;
}
