import { createHash } from 'node:crypto';
import pg from 'pg';
import { ClosedError } from '../errors.js';
import { translateSqlError } from './sql-errors.js';

/** A row as Postgres sent it: one string, or null, a column. */
export type RawRow = readonly (string | null)[];

/** Runs a statement, in whatever transaction its maker decided on. */
export type Query = (text: string, values: readonly unknown[]) => Promise<RawRow[]>;

/** Deadlocks and serialization failures: the transaction left nothing, and may be run again. */
const PASSING_STATES = new Set(['40P01', '40001']);
const MAX_ATTEMPTS = 5;

/** rows.ts decodes every column itself, so no parser of the driver's runs. */
const RAW_TYPES = { getTypeParser: () => (text: string) => text };

/** Replaces the schema `signalbox` in SQL by another name, quoted. */
export function inSchema(sql: string, schema: string): string {
  if (schema === 'signalbox') return sql;
  const quoted = pg.escapeIdentifier(schema);
  return sql
    .replace(/\bsignalbox\./g, `${quoted}.`)
    .replace(
      /\bschema (if not exists )?signalbox\b/g,
      (_, guard = '') => `schema ${guard}${quoted}`,
    );
}

function ignore(): void {}

/** Statements of one schema over a pool: the only place that talks to `pg`. */
export class Database {
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly #isPreparing: boolean;
  #isClosed = false;
  readonly #statements = new Map<string, { text: string; name: string }>();

  constructor(options: { pool: pg.Pool; schema: string; preparedStatements: boolean }) {
    this.pool = options.pool;
    this.schema = options.schema;
    this.#isPreparing = options.preparedStatements;
  }

  /**
   * Runs one statement in a transaction of its own and gives its rows. Runs it again, up to four times, when
   * it deadlocked. On `client`, it is part of that connection's transaction and is run once.
   */
  async rows(text: string, values: readonly unknown[], client?: pg.ClientBase): Promise<RawRow[]> {
    if (client) return this.#query(client, text, values);
    return this.#again(() => {
      this.#checkOpen();
      return this.#query(this.pool, text, values);
    });
  }

  /** Runs `work` in a transaction; it leaves nothing unless `work` resolves. Runs it again when it deadlocked. */
  async transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    return this.#again(() => {
      this.#checkOpen();
      return this.#transactionOnce(work);
    });
  }

  /** From now on no statement and no transaction begins: ClosedError. Those that have begun go on. */
  close(): void {
    this.#isClosed = true;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new ClosedError();
  }

  async #query(
    client: Pick<pg.ClientBase, 'query'>,
    text: string,
    values: readonly unknown[],
  ): Promise<RawRow[]> {
    try {
      const result = await client.query<(string | null)[]>({
        ...this.#statement(text),
        values: [...values],
        rowMode: 'array',
        types: RAW_TYPES,
      });
      return result.rows;
    } catch (error) {
      throw translateSqlError(error, this.schema);
    }
  }

  #statement(text: string): { text: string; name?: string } {
    let statement = this.#statements.get(text);
    if (!statement) {
      const inPlace = inSchema(text, this.schema);
      const digest = createHash('sha1').update(inPlace).digest('base64url');
      statement = { text: inPlace, name: `signalbox_${digest}` };
      this.#statements.set(text, statement);
    }
    return this.#isPreparing ? statement : { text: statement.text };
  }

  async #transactionOnce<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    // A connection that breaks is told to the query too; without a listener it would end the process.
    client.on('error', ignore);
    let isBroken: Error | boolean = false;
    try {
      await client.query('begin');
      const result = await work(client);
      const { command } = await client.query('commit');
      // COMMIT of a transaction that failed resolves, and says that it rolled back.
      if (command !== 'COMMIT') throw new Error(`the transaction ended with ${command}`);
      return result;
    } catch (error) {
      isBroken = await client.query('rollback').then(
        () => false,
        () => true,
      );
      throw translateSqlError(error, this.schema);
    } finally {
      client.off('error', ignore);
      client.release(isBroken);
    }
  }

  async #again<T>(attempt: () => Promise<T>): Promise<T> {
    for (let count = 1; ; count++) {
      try {
        return await attempt();
      } catch (error) {
        const isPassing = error instanceof pg.DatabaseError && PASSING_STATES.has(error.code ?? '');
        if (!isPassing || count === MAX_ATTEMPTS) throw error;
      }
    }
  }
}
