import { describe, expect, test } from 'vitest';
import { RUN_TASK_ID, readSummary, scanRun } from '../../../src/cli/run-scan.js';
import { defaultRunId } from '../../../src/cli/sources/task-run.js';
import type { TaskInput } from '../../../src/store/task-store.js';

const performed = new Set(['noop', 'sleep']);

async function scan(source: readonly TaskInput[], interrupted = new AbortController().signal) {
  const running = scanRun(source, { performed, interrupted });
  const tasks: TaskInput[] = [];
  for await (const task of running.tasks()) tasks.push(task);
  return { tasks, summary: running.summary() };
}

const diamond: readonly TaskInput[] = [
  { id: 'a', action: 'noop', toSignalAfter: ['b', 'c'] },
  { id: 'b', action: 'sleep', body: { ms: 1 }, toSignalAfter: ['d'], queue: 'slow' },
  { id: 'c', action: 'noop', toSignalAfter: ['d'] },
  { id: 'd', action: null },
];

describe('scanRun', () => {
  test('has every leaf signal the milestone, and no other task', async () => {
    const { tasks } = await scan(diamond);
    const signalling = tasks.filter(({ toSignalAfter }) => toSignalAfter?.includes(RUN_TASK_ID));
    expect(signalling.map(({ id }) => id)).toEqual(['d']);
    expect(tasks.at(-1)).toMatchObject({ id: RUN_TASK_ID, action: null });
  });

  test('keeps in the milestone what is needed to know the run again', async () => {
    const { tasks, summary } = await scan(diamond);
    expect(summary).toMatchObject({ tasks: 4, actions: 3, queues: ['default', 'slow'] });
    expect(readSummary(tasks.at(-1)?.body ?? null)).toEqual(summary);
  });

  test('gives the same digest in whatever order tasks and edges come', async () => {
    const turned = diamond
      .map((task) => ({ ...task, toSignalAfter: task.toSignalAfter?.toReversed() ?? [] }))
      .reverse();
    expect((await scan(turned)).summary.digest).toBe((await scan(diamond)).summary.digest);
  });

  test.each<[string, TaskInput]>([
    ['id', { id: 'e', action: null }],
    ['action', { id: 'd', action: 'noop' }],
    ['body', { id: 'd', action: null, body: 1 }],
    ['edge', { id: 'd', action: null, toSignalAfter: ['x'] }],
  ])('gives another digest for another %s', async (_, last) => {
    const changed = [...diamond.slice(0, 3), last];
    expect((await scan(changed)).summary.digest).not.toBe((await scan(diamond)).summary.digest);
  });

  test('refuses an action that nobody performs, saying how to change that', async () => {
    await expect(scan([{ id: 'a', action: 'copy' }])).rejects.toThrow('--actor MODULE');
    await expect(scan([{ id: 'a', action: 'exec' }])).rejects.toThrow('--exec');
  });

  test('refuses a task with the name of the run', async () => {
    await expect(scan([{ id: RUN_TASK_ID, action: null }])).rejects.toMatchObject({
      code: 'INVALID_FILE',
      path: 'tasks[0].id',
    });
  });

  test('ends with the reason of an interrupt', async () => {
    await expect(scan(diamond, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});

test.each([null, 7, {}, { tasks: 1, actions: 1, digest: 1, queues: [] }])(
  'readSummary finds none in %j',
  (body) => {
    expect(readSummary(body)).toBeNull();
  },
);

test('a run is called after its file, without dots, which part namespaces', () => {
  expect(defaultRunId('dir/montage.v2.json')).toBe('montage-v2');
  expect(defaultRunId('/tmp/etl.mjs')).toBe('etl');
});
