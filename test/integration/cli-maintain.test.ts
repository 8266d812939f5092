import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { errorOf, useCli } from '../support/cli-under-test.js';
import { giveBack, listedIds, milestone, own, range, task } from '../support/factories.js';

const cli = useCli();
let namespaces = 0;

/** A namespace of the test's own, and how to name it to the command. */
function namespace() {
  const prefix = `n${++namespaces}`;
  const run = (...args: string[]) => cli.run(...args, '--prefix', prefix);
  const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).stdout);
  return { store: cli.box.withPrefix(prefix), run, json };
}

describe('count', () => {
  test('shows a table with the sum, and as JSON one document', async () => {
    const { store, run, json } = namespace();
    await store.insertTasks([task('a'), task('b'), milestone('m', { totalDependencies: 1 })]);
    const { stdout, exitCode } = await run('count');
    expect(stdout).toMatch(/^QUEUE +ACTION +STATUS +COUNT\n/);
    expect(stdout).toMatch(/default +work +pending +2\n/);
    expect(stdout).toMatch(/\(milestone\) +pending +1\n3 tasks in all\.\n$/);
    expect(exitCode).toBe(0);
    expect(await json('count', '--action', 'work')).toEqual({
      total: 2,
      counts: [{ queue: 'default', action: 'work', statusCode: 'pending', count: 2 }],
    });
  });
});

describe('list', () => {
  test('takes times, and how long ago', async () => {
    const { store, run } = namespace();
    await store.insertTasks([task('done'), task('open', { action: 'other' })]);
    await giveBack(store, await own(store));
    const ids = async (...args: string[]) =>
      (await run('list', ...args, '--json')).stdout.split('\n').filter(Boolean).length;
    expect(await ids('--updated-since', '1h')).toBe(2);
    expect(await ids('--updated-since', '2200-01-01')).toBe(0);
    expect(await ids('--ended-before', '2200-01-01T00:00:00Z')).toBe(1);
    expect(await ids('--ended-before', '1h')).toBe(0);
    const wrong = await run('list', '--ended-before', 'yesterday', '--json');
    expect(wrong.exitCode).toBe(2);
    expect(errorOf(wrong).message).toContain('how long ago');
  });
});

describe('purge', () => {
  test('without --yes says how many it would delete, and deletes none', async () => {
    const { store, run } = namespace();
    await store.insertTasks(range(3).map((i) => task(`t${i}`)));
    const result = await run('purge', '--action', 'work', '--limit', '2', '--json');
    expect(result.exitCode).toBe(2);
    expect(errorOf(result)).toMatchObject({
      code: 'USAGE',
      message: 'This would delete 2 tasks. Do it with --yes.',
    });
    expect(await listedIds(store)).toHaveLength(3);
  });

  test('with --yes deletes what fits, what is in progress only with --force', async () => {
    const { store, run, json } = namespace();
    await store.insertTasks([task('a'), task('b', { action: 'other' })]);
    await own(store, { actions: ['other'] });
    expect(await json('purge', '--all', '--yes')).toEqual({ deleted: 1 });
    expect((await run('purge', '--action', 'other', '--force', '--yes')).stdout).toBe(
      '1 task deleted.\n',
    );
  });

  test('without any condition is wrong usage, unless told --all', async () => {
    const result = await namespace().run('purge', '--yes', '--json');
    expect([result.exitCode, errorOf(result).code]).toEqual([2, 'USAGE']);
    expect(errorOf(result).message).toContain('--all');
  });
});

describe('clean', () => {
  test('deletes what ended before the age', async () => {
    const { store, run, json } = namespace();
    await store.insertTasks([task('a'), task('b'), task('c', { action: 'other' })]);
    await giveBack(store, await own(store));
    expect(await json('clean')).toEqual({ deleted: 0 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    const young = await json('clean', '--older-than', '1ms', '--id-prefix', 'a');
    expect(young).toEqual({ deleted: 1 });
    expect(await json('clean', '--older-than', '1ms', '--status', 'aborted')).toEqual({
      deleted: 0,
    });
    expect((await run('clean', '--older-than', '1ms')).stdout).toBe('1 task deleted.\n');
    expect(await listedIds(store)).toEqual(['c']);
  });

  test('needs an age with its unit', async () => {
    expect((await namespace().run('clean', '--older-than', '15')).exitCode).toBe(2);
  });
});

describe('delete', () => {
  test('spares tasks in progress when told to', async () => {
    const { store, json } = namespace();
    await store.insertTasks([task('a'), task('b', { action: 'other' })]);
    await own(store);
    expect(await json('delete', 'a', 'b', '--spare-owned')).toEqual({ deleted: 1 });
    expect(await json('delete', 'a', 'b')).toEqual({ deleted: 1 });
  });
});

describe('why', () => {
  test('says in sentences what a task waits for and what to do', async () => {
    const { store, run } = namespace();
    const startAfter = new Date(Date.now() + 7_200_000);
    await store.insertTasks([
      task('a', { toSignalAfter: ['end'] }),
      task('b', { action: 'other', toSignalAfter: ['end'] }),
      task('c', { startAfter, toSignalAfter: ['end'] }),
      milestone('end', { totalDependencies: 4 }),
    ]);
    await own(store, { actions: ['other'], maxDurationMs: 600_000 });
    await store.pause({ action: 'work' });
    const { stdout, exitCode } = await run('why', 'end');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'end is pending.',
      '  It waits for 3 signals, from a, b, c.',
      '  What holds it up:',
      '    a is pending.',
      expect.stringMatching(/^ {6}It is paused since .*: signalbox resume --action work\.$/),
      '      No live worker performs work in queue default: start one, or see signalbox workers.',
      '      It is ready, the first in its lane.',
      '    b is in-progress.',
      expect.stringMatching(
        /^ {6}me performs it; it comes back .* \(in .*\) unless the ownership is extended\.$/,
      ),
      '    c is pending.',
      expect.stringMatching(/^ {6}It is not to start before .* \(in (2h 00m|1h 59m)\)\.$/),
      '  It waits for 1 signal that no unfinished task will give: give it with signalTasks, or cancel it.',
      '',
    ]);
  });

  test('as JSON gives the standing; for a task that is not there, exit code 2', async () => {
    const { store, run, json } = namespace();
    await store.insertTasks([task('a')]);
    await store.cancelTasks(['a'], { status: 'enough' });
    expect(await json('why', 'a')).toEqual(JSON.parse(JSON.stringify(await store.why('a'))));
    expect((await run('why', 'a')).stdout).toBe('a is cancelled.\n  It ended: enough\n');
    const missing = await run('why', 'ghost', '--json');
    expect([missing.exitCode, errorOf(missing)]).toMatchObject([
      2,
      { code: 'TASK_NOT_FOUND', ids: ['ghost'] },
    ]);
  });
});

describe('workers', () => {
  test('lists those that are there', async () => {
    const { store, run } = namespace();
    const worker = { id: randomUUID(), actorId: 'me', queues: ['default'], actions: ['a', 'b'] };
    await store.announceWorker(worker, 60_000);
    expect((await run('workers')).stdout).toMatch(
      new RegExp(`^ACTOR +QUEUES +ACTIONS +SINCE +ID\nme +default +a,b +\\S+ +${worker.id}\n$`),
    );
    expect(JSON.parse((await run('workers', '--json')).stdout)).toMatchObject(worker);
  });
});

describe('pause and resume', () => {
  test('pause lanes, list what is paused, and take it back', async () => {
    const { store, run, json } = namespace();
    await store.insertTasks([task('a')]);
    expect(await json('pause', '--action', 'work')).toEqual({ paused: { action: 'work' } });
    expect(await own(store)).toEqual([]);
    expect(await json('pause')).toMatchObject([{ action: 'work' }]);
    expect((await run('pause')).stdout).toMatch(/^QUEUE +ACTION +SINCE\n\(all\) +work +\d/);
    expect((await run('resume', '--action', 'work')).stdout).toBe('Action work is resumed.\n');
    expect(await json('resume', '--action', 'work')).toEqual({ resumed: false });
    expect(await own(store)).toHaveLength(1);
  });

  test('resume needs to be told which pause', async () => {
    expect((await namespace().run('resume')).exitCode).toBe(2);
  });
});
