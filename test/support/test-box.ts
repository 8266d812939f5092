import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import type { ConnectOptions } from '../../src/index.js';
import { connect, type Signalbox, type TaskStore } from '../../src/index.js';
import { expectInvariants, type InvariantExceptions } from './invariants.js';

/** A schema of a test file's own, installed before its tests, checked after each, dropped after all. */
export interface TestBox {
  readonly schema: string;
  /** Of its database. */
  readonly connectionString: string;
  readonly box: Signalbox;
  /** A pool of the test's own, with search_path on the schema: for SQL by hand. */
  readonly pool: pg.Pool;
  /** A namespace of the running test's own. */
  namespace(): TaskStore;
  /** Another Signalbox on the same schema: another process, as far as the database can tell. */
  another(options?: ConnectOptions): Promise<Signalbox>;
  /** What the running test does that an invariant has to allow for. */
  allow(exceptions: InvariantExceptions): void;
}

export interface TestBoxOptions {
  /**
   * In a database of its own, not that of the run: the transactions of other files, which run at the same time,
   * then keep no dead rows from being removed.
   */
  readonly ownDatabase?: boolean;
}

/** Call at the top of a test file. */
export function useTestBox(
  options: ConnectOptions = {},
  { ownDatabase = false }: TestBoxOptions = {},
): TestBox {
  const schema = `test_${randomBytes(6).toString('hex')}`;
  const connectionString = ownDatabase ? urlOfDatabase(schema) : inject('connectionString');
  const others: Signalbox[] = [];
  let exceptions: InvariantExceptions = {};
  let namespaces = 0;
  const state: { box?: Signalbox; pool?: pg.Pool } = {};

  beforeAll(async () => {
    if (ownDatabase) await runOnServer(`create database ${schema}`);
    // Compiling the queries of the invariants takes longer than running them.
    const settings = `-c search_path=${schema} -c jit=off`;
    state.pool = new pg.Pool({ connectionString, options: settings, max: 20 });
    state.box = await connect({ connectionString, schema, ...options });
    await state.box.migrate();
  });

  afterEach(async () => {
    const allowed = exceptions;
    exceptions = {};
    await Promise.all(others.splice(0).map((other) => other.close()));
    await expectInvariants(own(state.pool), schema, allowed);
  });

  afterAll(async () => {
    await state.box?.close();
    await state.pool?.query(`drop schema if exists ${schema} cascade`);
    await state.pool?.end();
    // Without force it waits for connections on their way out, up to five seconds: a pool has ended before they have.
    if (ownDatabase) await runOnServer(`drop database if exists ${schema}`);
  });

  return {
    schema,
    connectionString,
    get box() {
      return own(state.box);
    },
    get pool() {
      return own(state.pool);
    },
    namespace: () => own(state.box).withPrefix(`n${++namespaces}`),
    async another(otherOptions = {}) {
      const other = await connect({ connectionString, schema, ...options, ...otherOptions });
      others.push(other);
      return other;
    },
    allow(more) {
      exceptions = { ...exceptions, ...more };
    },
  };
}

function urlOfDatabase(name: string): string {
  const url = new URL(inject('connectionString'));
  url.pathname = `/${name}`;
  return url.href;
}

async function runOnServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('connectionString') });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

function own<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the test box is there only while tests run');
  return value;
}
