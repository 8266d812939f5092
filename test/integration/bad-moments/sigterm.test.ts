import { describe, expect, it } from 'vitest';
import { useCli } from '../../support/cli-under-test.js';
import { range, task } from '../../support/factories.js';

const cli = useCli();
const waiting = range(6).map((i) => `waiting${i}`);

/** One task ends shortly after SIGTERM comes, another never; both say when they begin. */
const ACTORS = `
  const untilSoonAfterTerm = () =>
    new Promise((resolve) => process.once('SIGTERM', () => setTimeout(resolve, 50)));
  const handle = async ({ id }) => {
    console.error('begun ' + id);
    if (id === 'finishing') await untilSoonAfterTerm();
    if (id === 'stuck') await new Promise(() => {});
    return { statusCode: 'completed' };
  };
  export default { id: 'worker', actions: ['work'], handle };`;

async function startWorker(prefix: string, drain: string) {
  const store = cli.box.withPrefix(prefix);
  await store.insertTasks([
    task('finishing', { priority: 2 }),
    task('stuck', { priority: 1 }),
    ...waiting.map((id) => task(id)),
  ]);
  const module = cli.writeModule('actors.mjs', ACTORS);
  const options = ['--prefix', prefix, '--workers', '2', '--max-duration', '1h', '--drain', drain];
  const worker = cli.start('worker', module, ...options);
  await Promise.all(
    ['finishing', 'stuck'].map((id) => worker.stderrLine(new RegExp(`begun ${id}`))),
  );
  return { store, worker };
}

describe('signalbox worker, told to stop by SIGTERM', () => {
  it('lets handlers end, hands back the rest without using up a try, and exits with 0', async () => {
    const { store, worker } = await startWorker('drained', '500ms');
    worker.signal('SIGTERM');
    expect((await worker.ended).exitCode).toBe(0);
    const standing = async (ids: string[]) =>
      (await store.getTasks(ids)).map(({ statusCode, numTries }) => [statusCode, numTries]);
    expect(await standing(['finishing'])).toEqual([['completed', 1]]);
    expect(await standing(['stuck', ...waiting])).toEqual(range(7).map(() => ['pending', 0]));
  });

  it('twice ends at once: what runs is left to its lease', async () => {
    const { store, worker } = await startWorker('hurried', '1h');
    worker.signal('SIGTERM');
    await store.waitFor('finishing', { timeoutMs: 20_000 });
    worker.signal('SIGTERM');
    expect((await worker.ended).exitCode).not.toBeNull();
    expect(await store.getTask('stuck')).toMatchObject({ statusCode: 'in-progress', numTries: 1 });
  });
});
