import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { SchemaVersionError } from '../errors.js';
import { type Database, inSchema } from './database.js';
import { SCHEMA_VERSION } from './schema-version.js';

const SQL_DIR = new URL('../../sql/', import.meta.url);
const COMMENTS = 'schema/04-comments.sql';

/** What `migrate` did. */
export interface MigrateReport {
  readonly schema: string;
  readonly fromVersion: number;
  readonly toVersion: number;
}

/**
 * Creates or upgrades the schema in one transaction. Processes that do it at once wait for one another; at
 * the client's version it changes nothing. SchemaVersionError if the schema is newer than the client.
 */
export async function migrate(database: Database): Promise<MigrateReport> {
  return database.transaction(async (client) => {
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `signalbox.migrate.${database.schema}`,
    ]);
    const fromVersion = await readVersion(database, client);
    if (fromVersion > SCHEMA_VERSION) {
      throw new SchemaVersionError(database.schema, fromVersion, SCHEMA_VERSION);
    }
    if (fromVersion < SCHEMA_VERSION) {
      await dropFunctions(database, client);
      for (const file of await filesFrom(fromVersion)) {
        await client.query(inSchema(await readSql(file), database.schema));
      }
    }
    return { schema: database.schema, fromVersion, toVersion: SCHEMA_VERSION };
  });
}

/** Drops the schema with all that is in it. */
export async function uninstall(database: Database): Promise<void> {
  await database.rows('drop schema signalbox cascade', []);
}

/** SchemaVersionError unless the installed schema is the client's. */
export async function checkVersion(database: Database): Promise<void> {
  const version = await readVersion(database);
  if (version !== SCHEMA_VERSION) {
    throw new SchemaVersionError(database.schema, version, SCHEMA_VERSION);
  }
}

/** 0: not installed. */
async function readVersion(database: Database, client?: pg.ClientBase): Promise<number> {
  const qualified = inSchema('signalbox.schema_version', database.schema);
  const [found] = await database.rows('select to_regclass($1)', [qualified], client);
  if (!found?.[0]) return 0;
  const [row] = await database.rows('select version from signalbox.schema_version', [], client);
  return Number(row?.[0] ?? 0);
}

/** Functions are created anew at every upgrade: `create or replace` cannot change a result type. */
async function dropFunctions(database: Database, client: pg.ClientBase): Promise<void> {
  const functions = await database.rows(
    `select format('drop function %s', p.oid::regprocedure)
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname = $1`,
    [database.schema],
    client,
  );
  for (const [drop] of functions) if (drop) await client.query(drop);
}

/** The files of sql/install.sql in their order; on an upgrade, migrations stand in for sql/schema, but for its comments. */
async function filesFrom(version: number): Promise<string[]> {
  const install = await readSql('install.sql');
  const files = Array.from(install.matchAll(/^\\ir (\S+)$/gm), ([, file = '']) => file);
  if (version === 0) return files;
  const upgrades = Array.from(
    { length: SCHEMA_VERSION - version },
    (_, step) => `migrations/${String(version + step + 1).padStart(3, '0')}.sql`,
  );
  return [...upgrades, ...files.filter((file) => file === COMMENTS || !file.startsWith('schema/'))];
}

function readSql(file: string): Promise<string> {
  return readFile(new URL(file, SQL_DIR), 'utf8');
}
