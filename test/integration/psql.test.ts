import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { connect } from '../../src/index.js';
import { SCHEMA_VERSION } from '../../src/store/schema-version.js';
import { drain, task } from '../support/factories.js';
import { expectInvariants } from '../support/invariants.js';

const hasPsql = spawnSync('psql', ['--version']).status === 0;
const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const database = `psql_${randomBytes(6).toString('hex')}`;

/** The test server's URL with another database. */
function urlOf(name: string): string {
  return inject('connectionString').replace(/^(postgres(?:ql)?:\/\/[^/]*\/)[^?]*/, `$1${name}`);
}

/** What psql prints for some SQL, rows as lines. */
async function psql(...args: string[]): Promise<string> {
  const { stdout } = await run(
    'psql',
    ['-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-d', urlOf(database), ...args],
    {
      cwd: root,
    },
  );
  return stdout.trim();
}

describe.skipIf(!hasPsql)('with psql alone', () => {
  const admin = new pg.Pool({ connectionString: inject('connectionString'), max: 1 });

  beforeAll(async () => {
    await admin.query(`create database ${database}`);
  });
  afterAll(async () => {
    // Waits for connections on their way out, up to five seconds.
    await admin.query(`drop database if exists ${database}`);
    await admin.end();
  });

  it('sql/install.sql installs the engine as it is, without a word', async () => {
    expect(await psql('-1', '-f', 'sql/install.sql')).toBe('');
    expect(await psql('-c', 'select version from signalbox.schema_version')).toBe(
      String(SCHEMA_VERSION),
    );
    const box = await connect({ connectionString: urlOf(database) });
    await box.insertTasks([task('by-client', { action: 'client' })]);
    expect(await drain(box, { actions: ['client'] })).toEqual(['by-client']);
    await box.close();
  });

  it('a graph is inserted, owned, returned and seen to its end', async () => {
    await psql(
      '-c',
      `begin;
       insert into signalbox.task (id, action, body, to_signal_after, total_dependencies) values
         ('extract', 'sh', '{"command": "true"}', '{load}', 0),
         ('transform', 'sh', null, '{load}', 0),
         ('load', 'sh', null, '{report}', 2),
         ('report', null, null, null, 1);
       select signalbox.enqueue_tasks('{extract,transform,load,report}');
       commit`,
    );
    const own = `select id, token from signalbox.own_tasks('by-hand', '{default}', '{sh}', 10, '1 minute')`;
    const rows = (text: string) => text.split('\n').map((line) => line.split('|'));

    const first = rows(await psql('-c', own));
    expect(first.map(([id]) => id)).toEqual(['extract', 'transform']);
    const [ids, tokens] = [first.map(([id]) => id).join(), first.map(([, token]) => token).join()];
    const lost = await psql(
      '-c',
      `select * from signalbox.return_tasks('{${ids}}', '{${tokens}}', '{completed,aborted}', '{done,"no disk"}')`,
    );
    expect(lost).toBe('');

    const [[id, token] = []] = rows(await psql('-c', own));
    expect(id).toBe('load');
    await psql('-c', `select signalbox.return_tasks('{load}', '{${token}}', '{completed}')`);
    expect(
      await psql(
        '-c',
        `select id, status_code, status, num_failures from signalbox.task where action is distinct from 'client' order by id`,
      ),
    ).toBe(
      [
        'extract|completed|done|0',
        'load|completed||1',
        'report|completed||0',
        'transform|aborted|no disk|0',
      ].join('\n'),
    );
    const pool = new pg.Pool({ connectionString: urlOf(database), max: 1 });
    await expectInvariants(pool, 'signalbox');
    await pool.end();
  });
});
