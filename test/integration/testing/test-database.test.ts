import { existsSync } from 'node:fs';
import pg from 'pg';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { InvalidOptionError } from '../../../src/index.js';
import {
  startTestDatabase,
  type TestDatabase,
  type TestDatabaseOptions,
} from '../../../src/testing/index.js';
import { eventually, listedIds, rejection, task } from '../../support/factories.js';

async function start(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const db = await startTestDatabase(options);
  onTestFinished(() => db.stop());
  return db;
}

async function ask(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

function socketDir(connectionString: string): string {
  return new URL(connectionString).searchParams.get('host') ?? '';
}

describe('a test database', () => {
  it('on a given server is a schema of its own, gone after stop(), which is safe twice', async () => {
    const connectionString = inject('connectionString');
    const schemas = () =>
      ask(
        connectionString,
        "select nspname from pg_namespace where nspname like 'signalbox_test_%'",
      );
    const [one, two] = [await start({ connectionString }), await start({ connectionString })];
    expect(one.schema).not.toBe(two.schema);
    expect(await schemas()).toEqual(expect.arrayContaining([one.schema, two.schema]));
    await one.box.insertTasks([task('a')]);
    expect(await listedIds(two.box)).toEqual([]);
    await Promise.all([one.stop(), one.stop()]);
    await two.stop();
    for (const { schema } of [one, two]) expect(await schemas()).not.toContain(schema);
  });

  it('shares one embedded server with the others of its process, which ends with the last', async () => {
    const [one, two] = await Promise.all([start(), start()]);
    const folder = socketDir(one.connectionString);
    expect(socketDir(two.connectionString)).toBe(folder);
    await one.stop();
    await two.box.insertTasks([task('a')]);
    await two.stop();
    expect(existsSync(folder)).toBe(false);
    const third = await start();
    expect(await listedIds(third.box)).toEqual([]);
  });

  it('can have a server of its own, which comes back from a crash with what was committed', async () => {
    const [own, shared] = [await start({ ownServer: true }), await start()];
    await own.box.insertTasks([task('a')]);
    await own.crashServer();
    expect(await rejection(own.box.getTask('a'))).toBeInstanceOf(Error);
    await shared.box.insertTasks([task('b')]);
    await own.startServer();
    expect(await listedIds(own.box)).toEqual(['a']);
    await own.restartServer();
    expect(await listedIds(own.box)).toEqual(['a']);
  });

  it('can be stopped while its server is down', async () => {
    const db = await start({ ownServer: true });
    const folder = socketDir(db.connectionString);
    await db.box.insertTasks([task('a')]);
    await db.crashServer();
    await db.stop();
    expect(existsSync(folder)).toBe(false);
  });

  it('does not crash a server that is not its own', async () => {
    const db = await start({ connectionString: inject('connectionString') });
    const error = await rejection(db.restartServer());
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(
      await rejection(startTestDatabase({ connectionString: 'x', ownServer: true })),
    ).toBeInstanceOf(InvalidOptionError);
  });

  it('that cannot be reached is an error, and leaves nothing open', async () => {
    const connectionString = 'postgres://nobody@127.0.0.1:1/nowhere';
    expect(await rejection(startTestDatabase({ connectionString }))).toMatchObject({
      code: 'ECONNREFUSED',
    });
  });
});

describe('its parts', () => {
  it('are a namespace for each test, apart from all others; one with a name is that prefix', async () => {
    const db = await start({ connectionString: inject('connectionString') });
    const [one, two, named] = [db.namespace(), db.namespace(), db.namespace('mine')];
    for (const store of [one, two, named]) await store.insertTasks([task('a')]);
    expect(await listedIds(one)).toEqual(['a']);
    expect(await listedIds(db.box.withPrefix('mine'))).toEqual(['a']);
    expect(await listedIds(db.box)).toHaveLength(3);
  });

  it('are more boxes, and a pool for transactions of one’s own', async () => {
    const db = await start({ connectionString: inject('connectionString') });
    const other = await db.connect();
    const tx = await db.pool.connect();
    await tx.query('begin');
    await db.box.insertTasks([task('a')], { tx });
    expect(await listedIds(other)).toEqual([]);
    await tx.query('commit');
    tx.release();
    expect(await listedIds(other)).toEqual(['a']);
  });

  it('can be cut off all at once: calls in flight fail, waits and later calls go on', async () => {
    const db = await start({ connectionString: inject('connectionString') });
    await db.box.insertTasks([task('a')]);
    const outcome = db.box.waitFor('a');
    const other = await db.connect();
    const sleeping = rejection(db.pool.query('select pg_sleep(60)'));
    await other.getTask('a');
    expect(await db.killConnections()).toBeGreaterThanOrEqual(3);
    expect(await sleeping).toMatchObject({ code: '57P01' });
    // A pool learns of a dead connection by using it.
    await eventually(() => other.cancelTasks(['a']));
    expect(await outcome).toMatchObject({ statusCode: 'cancelled' });
  });
});
