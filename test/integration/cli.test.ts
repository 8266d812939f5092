import { randomUUID } from 'node:crypto';
import { describe, expect, inject, test } from 'vitest';
import type { Json } from '../../src/store/task-store.js';
import { runCli } from '../support/cli-process.js';
import { dropSchema, errorOf, useCli } from '../support/cli-under-test.js';

const connectionString = inject('connectionString');
const cli = useCli();

/** A task that ends as told, without a worker of ours. */
async function endedTask(statusCode: 'completed' | 'aborted', result?: Json): Promise<string> {
  const action = randomUUID();
  const id = `ended-${action}`;
  await cli.box.insertTasks([{ id, action }]);
  const [owned] = await cli.box.ownTasks({ actorId: 'test', actions: [action], maxTasks: 1 });
  const outcome = {
    statusCode,
    status: 'by the test',
    ...(result === undefined ? {} : { result }),
  };
  await cli.box.returnTask(id, owned?.token ?? '', outcome);
  return id;
}

describe('migrate', () => {
  test('creates the schema, says from which version to which, and does nothing again', async () => {
    const fresh = `${cli.schema}_fresh`;
    const args = ['migrate', '--json', '--database-url', connectionString, '--schema', fresh];
    const first = await runCli(args);
    const second = await runCli(args);
    await dropSchema(fresh);
    const { toVersion } = JSON.parse(first.stdout);
    expect(JSON.parse(first.stdout)).toEqual({ schema: fresh, fromVersion: 0, toVersion });
    expect(JSON.parse(second.stdout)).toMatchObject({ fromVersion: toVersion, toVersion });
    expect([first.exitCode, second.exitCode]).toEqual([0, 0]);
  });
});

describe('get, list, delete, wait', () => {
  test('get prints what is known of a task, and fails for those that are not there', async () => {
    const id = await endedTask('completed', { n: 1 });
    const { exitCode, stdout, stderr } = await cli.run('get', id, 'nobody', '--json');
    expect(JSON.parse(stdout)).toMatchObject([{ id, statusCode: 'completed', result: { n: 1 } }]);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'TASK_NOT_FOUND', ids: ['nobody'] },
    });
    expect(exitCode).toBe(2);
  });

  test('list --json prints a line for each task that fits', async () => {
    const prefix = `l${randomUUID().slice(0, 8)}`;
    await cli.box.insertTasks(
      ['a', 'b', 'c'].map((name) => ({ id: `${prefix}.${name}`, action: 'nothing' })),
    );
    const list = await cli.run('list', '--json', '--id-prefix', `${prefix}.`, '--limit', '2');
    const ids = list.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id);
    expect(ids).toEqual([`${prefix}.a`, `${prefix}.b`]);
    const none = await cli.run('list', '--json', '--id-prefix', prefix, '--status', 'aborted');
    expect(none).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  test('list aligns its columns, and --prefix shortens the ids', async () => {
    const prefix = `l${randomUUID().slice(0, 8)}`;
    await cli.box.withPrefix(prefix).insertTasks([
      { id: 'a', action: 'nothing' },
      { id: 'milestone', action: null, totalDependencies: 1 },
    ]);
    const { stdout } = await cli.run('list', '--prefix', prefix);
    const [header = '', ...lines] = stdout.trim().split('\n');
    expect(lines.map((line) => line.slice(0, header.indexOf('STATUS')).trim())).toEqual([
      'a',
      'milestone',
    ]);
    expect(lines.every((line) => line.slice(header.indexOf('STATUS')).startsWith('pending'))).toBe(
      true,
    );
  });

  test('delete deletes, and says how many', async () => {
    const id = await endedTask('completed');
    const { exitCode, stdout } = await cli.run('delete', id, 'nobody', '--json');
    expect([exitCode, JSON.parse(stdout)]).toEqual([0, { deleted: 1 }]);
    expect(await cli.box.getTask(id)).toBeNull();
  });

  test('wait ends with 0 when all have completed, and with 1 when one has not', async () => {
    const completed = await endedTask('completed', 7);
    const aborted = await endedTask('aborted');
    const good = await cli.run('wait', completed, '--json');
    expect(JSON.parse(good.stdout)).toEqual([
      { id: completed, statusCode: 'completed', status: 'by the test', result: 7 },
    ]);
    const bad = await cli.run('wait', completed, aborted);
    expect(bad.stdout).toContain(`${aborted}  aborted  by the test`);
    expect([good.exitCode, bad.exitCode]).toEqual([0, 1]);
  });

  test('wait ends with 4 when the time is up', async () => {
    const id = `never-${randomUUID()}`;
    await cli.box.insertTasks([{ id, action: 'nothing' }]);
    const result = await cli.run('wait', id, '--timeout', '50ms', '--json');
    expect([result.exitCode, errorOf(result).code]).toEqual([4, 'WAIT_TIMEOUT']);
  });
});

describe('worker', () => {
  test('performs tasks with the actors of a module until it is interrupted', async () => {
    const action = `echo-${randomUUID()}`;
    const module = cli.writeModule(
      'actors.mjs',
      `const handle = async ({ body }) => ({ statusCode: 'completed', result: body });
       export default { id: 'echo', actions: ['${action}'], handle };`,
    );
    const worker = cli.start('worker', module, '--workers', '2', '--max-duration', '1m', '--json');
    await worker.stderrLine(/"working":\["echo"\]/);
    await cli.box.insertTasks([{ id: action, action, body: { said: true } }]);
    expect(await cli.box.waitFor(action)).toMatchObject({ result: { said: true } });
    worker.signal('SIGINT');
    const { exitCode, stdout } = await worker.ended;
    expect([exitCode, JSON.parse(stdout)]).toEqual([130, { done: 1, failed: 0 }]);
  });

  test('refuses a module without an actor', async () => {
    const module = cli.writeModule('empty.mjs', 'export const tasks = [];');
    const refused = await cli.run('worker', module, '--json');
    expect([refused.exitCode, errorOf(refused).code]).toEqual([2, 'USAGE']);
  });
});

describe('demo', () => {
  test('gives the digest of a directory, and leaves nothing in the database', async () => {
    const { exitCode, stdout } = await cli.run('demo', cli.directory, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      matches: true,
    });
    expect(exitCode).toBe(0);
    const list = await cli.run('list', '--id-prefix', 'demo-');
    expect(list.stdout.trim().split('\n')).toHaveLength(1);
  });
});

describe('what is wrong decides the exit code', () => {
  const none = 'postgres://localhost:1/none';

  test.each<[string, string[], number, string]>([
    ['an unknown command', ['dance'], 2, 'USAGE'],
    ['an unknown option', ['list', '--colour'], 2, 'USAGE'],
    ['a duration without a unit', ['wait', 'a', '--timeout', '5'], 2, 'USAGE'],
    ['a file that is not there', ['run', 'nowhere.json'], 2, 'USAGE'],
    ['a module that is not there', ['worker', 'nowhere.mjs'], 2, 'USAGE'],
    ['no database', ['list'], 3, 'CONNECTION_SETTINGS'],
    ['a server that does not answer', ['list', '--database-url', none], 3, 'DATABASE_UNREACHABLE'],
    [
      'a schema that is not installed',
      ['list', '--database-url', connectionString, '--schema', 'not_there'],
      3,
      'SCHEMA_VERSION',
    ],
  ])('%s', async (_, args, exitCode, code) => {
    const result = await runCli([...args, '--json'], { cwd: cli.directory });
    expect([result.exitCode, errorOf(result).code, result.stdout]).toEqual([exitCode, code, '']);
  });

  test('the help names the exit codes, and is no error', async () => {
    const { exitCode, stdout } = await runCli(['run', '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/130\s+interrupted/);
    expect(stdout).toContain('--database-url');
  });
});
