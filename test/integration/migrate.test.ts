import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { connect, SchemaVersionError, type Signalbox } from '../../src/index.js';
import { SCHEMA_VERSION } from '../../src/store/schema-version.js';
import { drain, range, rejection, task } from '../support/factories.js';
import { expectInvariants } from '../support/invariants.js';

const connectionString = inject('connectionString');

/** Boxes on one schema that is not installed yet; dropped after the test. */
async function boxes(count = 1, schema = `test_${randomBytes(6).toString('hex')}`) {
  const all = await Promise.all(range(count).map(() => connect({ connectionString, schema })));
  const pool = new pg.Pool({ connectionString, max: 2 });
  onTestFinished(async () => {
    await Promise.all(all.map((box) => box.close()));
    await pool.query(`drop schema if exists ${pg.escapeIdentifier(schema)} cascade`);
    await pool.end();
  });
  const setVersion = (version: number) =>
    pool.query(`update ${pg.escapeIdentifier(schema)}.schema_version set version = $1`, [version]);
  const [box] = all;
  if (!box) throw new Error('at least one');
  return { box, all, pool, schema, setVersion };
}

/** Everything that is installed, by kind and name. */
async function catalog(pool: pg.Pool, schema: string): Promise<string[]> {
  const { rows } = await pool.query(
    `select format('%s %s', c.relkind, c.relname) as name from pg_class c
     where c.relnamespace = $1::regnamespace
     union all select format('function %s %s', p.proname, pg_get_function_identity_arguments(p.oid))
     from pg_proc p where p.pronamespace = $1::regnamespace
     order by 1`,
    [pg.escapeIdentifier(schema)],
  );
  return rows.map(({ name }) => name);
}

describe('migrate', () => {
  it('installs, and changes nothing the second time', async () => {
    const { box, pool, schema } = await boxes();
    expect(await box.migrate()).toEqual({ schema, fromVersion: 0, toVersion: SCHEMA_VERSION });
    await box.insertTasks([task('a')]);
    const before = await catalog(pool, schema);
    expect(before).toContain('r task');
    expect(await box.migrate()).toMatchObject({
      fromVersion: SCHEMA_VERSION,
      toVersion: SCHEMA_VERSION,
    });
    expect(await catalog(pool, schema)).toEqual(before);
    expect(await drain(box)).toEqual(['a']);
  });

  it('from eight processes at once installs once', async () => {
    const { box, all } = await boxes(8);
    const reports = await Promise.all(all.map((one) => one.migrate()));
    expect(reports.filter(({ fromVersion }) => fromVersion === 0)).toHaveLength(1);
    await box.insertTasks([task('a')]);
    expect(await drain(all[7] ?? box)).toEqual(['a']);
  });

  it('puts all there is into a schema of any name, and nothing into any other', async () => {
    const schema = `Odd "schema" ${randomBytes(4).toString('hex')}; --`;
    const { box, pool } = await boxes(1, schema);
    await box.migrate();
    const store = box.withPrefix('odd');
    await store.insertTasks([task('a', { toSignalAfter: ['b'] }), task('b')]);
    const waiting = store.waitFor(['a', 'b'], { timeoutMs: 20_000 });
    expect(await drain(store)).toEqual(['a', 'b']);
    expect(await waiting).toHaveLength(2);
    await expectInvariants(pool, pg.escapeIdentifier(schema));
    const { rows } = await pool.query(
      `select 1 from pg_proc p where p.pronamespace = $1::regnamespace
         and p.prosrc like '%signalbox.%'`,
      [pg.escapeIdentifier(schema)],
    );
    expect(rows).toEqual([]);
  });

  it('keeps two schemas of one database apart', async () => {
    const [one, two] = [await boxes(), await boxes()];
    for (const { box } of [one, two]) {
      await box.migrate();
      await box.insertTasks([task('a')]);
    }
    expect(await drain(one.box)).toEqual(['a']);
    expect((await two.box.getTask('a'))?.statusCode).toBe('pending');
  });

  it('leaves no table and no column without a comment', async () => {
    const { box, pool, schema } = await boxes();
    await box.migrate();
    const { rows } = await pool.query(
      `select format('%s.%s', c.relname, a.attname) as name
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = $1::regnamespace and c.relkind = 'r'
         and (col_description(c.oid, a.attnum) is null or obj_description(c.oid) is null)`,
      [schema],
    );
    expect(rows).toEqual([]);
  });
});

describe('a schema of another version', () => {
  const calls: [string, (box: Signalbox) => Promise<unknown>][] = [
    ['insertTasks', (box) => box.insertTasks([task('a')])],
    ['insertUnique', (box) => box.insertUnique({ ...task('a'), uniqueKey: 'k' })],
    ['ownTasks', (box) => box.ownTasks({ actorId: 'me', actions: ['work'], maxTasks: 1 })],
    ['returnTasks', (box) => box.returnTasks([{ id: 'a', token: '', statusCode: 'completed' }])],
    ['getTask', (box) => box.getTask('a')],
    ['waitFor', (box) => box.waitFor('a', { timeoutMs: 10_000 })],
    ['newWaiter', (box) => box.newWaiter('a')],
    ['cancelTasks', (box) => box.cancelTasks(['a'])],
  ];

  it.each(calls)('that is missing is told by %s', async (_, call) => {
    const { box } = await boxes();
    const error = await rejection(call(box));
    expect(error).toBeInstanceOf(SchemaVersionError);
    expect(error).toMatchObject({ schemaVersion: 0, clientVersion: SCHEMA_VERSION });
    expect(String(error)).toMatch(/not installed.*migrate/s);
  });

  it.each([
    ['too old', SCHEMA_VERSION - 1, /migrate/],
    ['too new', SCHEMA_VERSION + 1, /npm install/],
  ])('that is %s is told with both versions and the remedy', async (_, version, remedy) => {
    const { box, all, setVersion } = await boxes(2);
    await box.migrate();
    await setVersion(version);
    const error = await rejection(all[1]?.getTask('a') ?? Promise.resolve());
    expect(error).toBeInstanceOf(SchemaVersionError);
    expect(error).toMatchObject({
      code: 'SCHEMA_VERSION',
      schemaVersion: version,
      clientVersion: SCHEMA_VERSION,
    });
    expect(String(error)).toContain(`has version ${version}`);
    expect(String(error)).toContain(`needs version ${SCHEMA_VERSION}`);
    expect(String(error)).toMatch(remedy);
  });

  it('that is too new is not migrated', async () => {
    const { box, all, setVersion } = await boxes(2);
    await box.migrate();
    await setVersion(SCHEMA_VERSION + 1);
    expect(await rejection(all[1]?.migrate() ?? Promise.resolve())).toBeInstanceOf(
      SchemaVersionError,
    );
  });

  it('is asked about again after it was installed', async () => {
    const { box } = await boxes();
    expect(await rejection(box.getTask('a'))).toBeInstanceOf(SchemaVersionError);
    await box.migrate();
    expect(await box.getTask('a')).toBeNull();
  });
});
