import { expect, it } from 'vitest';
import type { Actor, Logger } from '../../src/index.js';
import { gate } from '../support/altered-store.js';
import { eventually, range, statuses, task } from '../support/factories.js';
import { startManager } from '../support/start-manager.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

function preparing(prepare: Actor['prepare']): { actor: Actor; handled: string[] } {
  const handled: string[] = [];
  const actor: Actor = {
    id: 'prepared',
    actions: ['work'],
    ...(prepare ? { prepare } : {}),
    handle: async ({ id }) => {
      handled.push(id);
      return { statusCode: 'completed' };
    },
  };
  return { actor, handled };
}

it('tasks are prepared claim by claim, and take up no worker before', async () => {
  const store = t.namespace();
  await store.insertTasks(range(30).map((i) => task(`t${i}`)));
  const asked = gate();
  const ready = gate();
  const prepared: string[] = [];
  const { actor, handled } = preparing(async (tasks) => {
    prepared.push(...tasks.map(({ id }) => id));
    asked.open();
    await ready.opened;
  });
  const manager = await startManager(store, actor, { workers: 30 });
  await asked.opened;
  expect(manager.stats()).toMatchObject({ performing: 0, waiting: 0 });
  expect(handled).toEqual([]);
  ready.open();
  await eventually(() => expect(handled).toHaveLength(30));
  expect(prepared.sort()).toEqual(handled.sort());
});

it('handlers find what their claim was prepared with; undefined where that failed', async () => {
  const store = t.namespace();
  await store.insertTasks(['a', 'b', 'c'].map((id) => task(id)));
  const found = new Map<string, unknown>();
  const actor: Actor = {
    id: 'prepared',
    actions: ['work'],
    prepare: async (tasks) => {
      if (tasks.some(({ id }) => id === 'c')) throw new Error('broken');
      return tasks.map(({ id }) => `for ${id}`);
    },
    handle: async ({ id }, { prepared }) => {
      found.set(id, prepared);
      return { statusCode: 'completed' };
    },
  };
  await startManager(store, actor, { workers: 1, maxTasks: 1 });
  await store.waitFor(['a', 'b', 'c']);
  expect(Object.fromEntries(found)).toEqual({ a: ['for a'], b: ['for b'], c: undefined });
});

const broken = new Error('broken');
it.each([
  ['failed', () => Promise.reject(broken), broken],
  [
    'takes longer than a heartbeat',
    () => new Promise<void>(() => {}),
    new Error('prepare took longer than a heartbeat, 50 ms'),
  ],
])(
  'tasks are performed all the same where preparing them %s, which is logged',
  async (_how, prepare, err) => {
    const store = t.namespace();
    const logged: unknown[] = [];
    const logger: Logger = {
      debug: () => {},
      info: () => {},
      warn: (fields: object, message?: string) => logged.push([fields, message]),
      error: () => {},
    };
    await store.insertTasks([task('a')]);
    const { actor } = preparing(prepare);
    const manager = await startManager(store, actor, { logger, heartbeatMs: 50 });
    await store.waitFor('a');
    expect(await statuses(store)).toEqual({ a: 'completed' });
    expect(logged).toEqual([[{ err, actorId: 'prepared' }, 'tasks are performed unprepared']]);
    await manager.stop();
  },
);
