import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Task, TaskInput } from '../../src/store/task-store.js';
import { runCli } from '../support/cli-process.js';
import { errorOf, makeDirectory, useCli } from '../support/cli-under-test.js';

const cli = useCli();

function sleeps(count: number, ms: number): TaskInput[] {
  return Array.from({ length: count }, (_, i) => ({ id: `s${i}`, action: 'sleep', body: { ms } }));
}

async function tasksIn(prefix: string): Promise<Task[]> {
  const tasks: Task[] = [];
  for await (const task of cli.box.listTasks({ idPrefix: `${prefix}.` })) tasks.push(task);
  return tasks;
}

/** Resolves once somebody owns the task. */
async function started(id: string): Promise<void> {
  await expect.poll(() => cli.box.getTask(id)).toMatchObject({ statusCode: 'in-progress' });
}

describe('run', () => {
  test('performs a list of tasks and gives the results of its leaves', async () => {
    const file = cli.writeJson('list.json', [
      { id: 'a', action: 'sleep', body: { ms: 5 }, toSignalAfter: ['c'] },
      { id: 'b', action: 'noop', toSignalAfter: ['c'], startAfter: '2020-01-01T00:00:00Z' },
      { id: 'c', action: 'exec', body: { command: ['printf', '%s', 'a b'] } },
    ]);
    const { exitCode, stdout } = await cli.run('run', file, '--exec', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      runId: 'list',
      state: 'new',
      tasks: 3,
      counts: { completed: 3 },
      failed: [],
      leaves: [{ id: 'c', statusCode: 'completed', result: { exitCode: 0, stdout: 'a b' } }],
    });
    expect(exitCode).toBe(0);
    expect(await cli.box.waitFor('list.@run')).toMatchObject({ statusCode: 'completed' });
  });

  test('performs a workflow in WfFormat, faster', async () => {
    const file = cli.writeJson('workflow.json', {
      schemaVersion: '1.4',
      workflow: {
        tasks: [
          { name: 'split', runtimeInSeconds: 60, children: ['left', 'right'] },
          { name: 'left', runtimeInSeconds: 90, parents: ['split'] },
          { name: 'right', runtimeInSeconds: 90, parents: ['split'] },
        ],
      },
    });
    const { exitCode, stdout } = await cli.run('run', file, '--speed-up', '10000');
    expect(stdout).toContain('3 tasks: 3 completed');
    expect(exitCode).toBe(0);
    const [left, split] = await cli.box.getTasks(['workflow.left', 'workflow.split']);
    expect(Number(left?.startedAt)).toBeGreaterThanOrEqual(Number(split?.finishedAt));
  });

  test('performs the tasks of a module with its actors, and those that handlers add', async () => {
    const file = cli.writeModule(
      'module.mjs',
      `export const actor = {
         id: 'counter',
         actions: ['count'],
         async handle({ body }) {
           const tasks = body > 0 ? [{ id: 'n' + (body - 1), action: 'count', body: body - 1 }] : [];
           return { statusCode: 'completed', result: body, tasks };
         },
       };
       export async function* tasks() {
         yield { id: 'n3', action: 'count', body: 3 };
       }`,
    );
    const { exitCode, stdout } = await cli.run('run', file, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ tasks: 4, counts: { completed: 4 } });
    expect(exitCode).toBe(0);
  });

  test('ends with 1 and names what failed', async () => {
    const file = cli.writeJson('failing.json', [
      { id: 'bad', action: 'exec', body: { command: ['false'] }, toSignalAfter: ['after'] },
      { id: 'after', action: 'noop', runWhen: 'all_succeeded' },
    ]);
    const { exitCode, stdout } = await cli.run('run', file, '--exec');
    expect(stdout).toMatch(/2 tasks: (1 aborted, 1 skipped|1 skipped, 1 aborted)/);
    expect(stdout).toContain('aborted  bad  the command ended with 1');
    expect(exitCode).toBe(1);
  });

  test('interrupted, hands back what it has not begun, and goes on when started again', async () => {
    const file = cli.writeJson('interrupted.json', sleeps(60, 100));
    const first = cli.start('run', file, '--workers', '2', '--json');
    await first.stderrLine(/"progress":\{"done":[1-9]/);
    first.signal('SIGINT');
    const interrupted = await first.ended;
    expect([interrupted.exitCode, errorOf(interrupted).code]).toEqual([130, 'INTERRUPTED']);
    const statusCodes = new Set((await tasksIn('interrupted')).map(({ statusCode }) => statusCode));
    expect(statusCodes).toEqual(new Set(['completed', 'pending']));

    const second = await cli.run('run', file, '--workers', '32', '--json');
    expect(second.exitCode).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({
      state: 'resumed',
      tasks: 60,
      counts: { completed: 60 },
    });
    const performed = (await tasksIn('interrupted')).filter(({ action }) => action !== null);
    expect(performed.map(({ numTries }) => numTries)).toEqual(Array(60).fill(1));
  });

  test('killed, goes on when started again: what it held comes back when its lease lapses', async () => {
    const file = cli.writeJson('killed.json', sleeps(1, 2_000));
    const killed = cli.start('run', file, '--max-duration', '500ms', '--json');
    await killed.stderrLine(/"run"/);
    await started('killed.s0');
    killed.signal('SIGKILL');
    await killed.ended;
    const { exitCode, stdout } = await cli.run('run', file, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ state: 'resumed', counts: { completed: 1 } });
    expect(exitCode).toBe(0);
    expect(await cli.box.getTask('killed.s0')).toMatchObject({ numTries: 2 });
  });

  test('ends at once at the second signal', async () => {
    const run = cli.start('run', cli.writeJson('long.json', sleeps(1, 60_000)), '--drain', '1h');
    await run.stderrLine(/1 task inserted/);
    run.signal('SIGTERM');
    await run.stderrLine(/once more/);
    run.signal('SIGTERM');
    expect((await run.ended).exitCode).toBe(130);
  });

  test('hands running tasks back when they outlast the drain', async () => {
    const file = cli.writeJson('drained.json', sleeps(2, 600_000));
    const run = cli.start('run', file, '--drain', '1ms');
    await run.stderrLine(/2 tasks inserted/);
    run.signal('SIGINT');
    expect((await run.ended).exitCode).toBe(130);
    const tasks = await tasksIn('drained');
    expect(new Set(tasks.map(({ statusCode }) => statusCode))).toEqual(new Set(['pending']));
  });

  test('of a run that has ended, prints the result again, and with --fresh starts anew', async () => {
    const file = cli.writeJson('again.json', sleeps(2, 1));
    const state = async (...args: string[]) => {
      const { stdout } = await cli.run('run', file, '--json', ...args);
      return JSON.parse(stdout);
    };
    expect(await state()).toMatchObject({ state: 'new', counts: { completed: 2 } });
    expect(await state()).toMatchObject({ state: 'ended', counts: { completed: 2 } });
    expect(await state('--fresh')).toMatchObject({ state: 'new', counts: { completed: 2 } });
  });

  test('refuses other tasks than those of the run in the database', async () => {
    await cli.run('run', cli.writeJson('changing.json', sleeps(1, 1)));
    const changed = cli.writeJson('changing.json', sleeps(2, 1));
    const refused = await cli.run('run', changed, '--json');
    expect([refused.exitCode, errorOf(refused).message]).toEqual([
      2,
      expect.stringMatching(/--run-id.*--fresh/),
    ]);
    const named = await cli.run('run', changed, '--run-id', 'changed', '--json');
    expect(JSON.parse(named.stdout)).toMatchObject({ runId: 'changed', counts: { completed: 2 } });
  });

  test('neither mixes with nor deletes tasks of a namespace that is no run', async () => {
    await cli.box.insertTasks([{ id: 'precious.task', action: 'nothing' }]);
    const file = cli.writeJson('precious.json', sleeps(1, 1));
    const results = [await cli.run('run', file), await cli.run('run', file, '--fresh')];
    expect(results.map(({ exitCode }) => exitCode)).toEqual([2, 2]);
    expect(await cli.box.getTask('precious.task')).not.toBeNull();
  });

  test('inserts nothing when a task has an action that nobody performs', async () => {
    const file = cli.writeJson('unknown.json', [...sleeps(1, 1), { id: 'x', action: 'exec' }]);
    const refused = await cli.run('run', file, '--json');
    expect([refused.exitCode, errorOf(refused)]).toMatchObject([2, { code: 'USAGE' }]);
    expect(await tasksIn('unknown')).toEqual([]);
  });

  test('ends with 4 when the time is up', async () => {
    const file = cli.writeJson('slow.json', sleeps(1, 600_000));
    const run = await cli.run('run', file, '--timeout', '200ms', '--drain', '1ms', '--json');
    expect([run.exitCode, errorOf(run).code]).toEqual([4, 'WAIT_TIMEOUT']);
  });
});

describe('run without a database', () => {
  test('keeps one in the current directory, says so, and finds the run in it again', async () => {
    const cwd = makeDirectory();
    const file = cli.writeJson('local.json', sleeps(2, 1));
    const first = await runCli(['run', file], { cwd });
    const second = await runCli(['run', file], { cwd });
    const list = await runCli(['list', '--embedded=.signalbox/postgres', '--json'], { cwd });
    rmSync(cwd, { recursive: true });
    expect([first.exitCode, second.exitCode, list.exitCode]).toEqual([0, 0, 0]);
    expect(first.stderr).toContain('embedded Postgres in .signalbox/postgres');
    expect(second.stdout).toContain('Run local had ended already');
    expect(list.stdout.trim().split('\n')).toHaveLength(3);
  });
});
