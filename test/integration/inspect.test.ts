import { describe, expect, it } from 'vitest';
import {
  type InspectOptions,
  inspect,
  maintenanceActor,
  type StuckTask,
  type TaskStore,
} from '../../src/index.js';
import {
  giveBack,
  listedIds,
  milestone,
  own,
  range,
  rejection,
  task,
} from '../support/factories.js';
import { startManager } from '../support/start-manager.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

async function stuck(store: TaskStore, options: InspectOptions = {}): Promise<StuckTask[]> {
  const found: StuckTask[] = [];
  for await (const one of inspect(store, { stuckAfterMs: 0, ...options })) found.push(one);
  return found;
}

async function stuckIds(store: TaskStore, options?: InspectOptions): Promise<string[]> {
  return (await stuck(store, options)).map(({ id }) => id);
}

describe('inspect', () => {
  it('finds tasks in progress and tasks that nobody takes, with the reasons', async () => {
    const store = t.namespace();
    await store.insertTasks([task('owned', { action: 'other' }), task('ready'), task('done')]);
    await store.cancelTasks(['done']);
    await own(store, { actions: ['other'] });
    expect(await stuck(store)).toMatchObject([
      { id: 'owned', standing: { statusCode: 'in-progress', reasons: [{ kind: 'owned' }] } },
      { id: 'ready', standing: { reasons: [{ kind: 'no-worker' }, { kind: 'ready' }] } },
    ]);
  });

  it('leaves out what has changed lately', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    expect(await stuckIds(store, { stuckAfterMs: 60_000 })).toEqual([]);
    const now = () => Date.now() + 120_000;
    expect(await stuckIds(store, { stuckAfterMs: 60_000, now })).toEqual(['a']);
  });

  it('leaves out what is not to start yet, or to be tried again later', async () => {
    const store = t.namespace();
    const startAfter = new Date(Date.now() + 60_000);
    await store.insertTasks([task('a', { retry: { delayMs: 60_000 } }), task('b', { startAfter })]);
    await giveBack(store, await own(store), { statusCode: 'pending' });
    expect(await stuckIds(store)).toEqual([]);
  });

  it('finds what holds others up, not those that are held up', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('first', { toSignalAfter: ['second'] }),
      task('second', { toSignalAfter: ['third'] }),
      milestone('third'),
      milestone('approval', { totalDependencies: 1, toSignalAfter: ['fourth'] }),
      task('fourth', { totalDependencies: 2 }),
    ]);
    expect(await stuckIds(store)).toEqual(['approval', 'first', 'fourth']);
  });

  it('finds at most so many, within a prefix of the ids, and stops at its signal', async () => {
    const store = t.namespace();
    await store.insertTasks(['a1', 'a2', 'b1', 'b2', 'b3'].map((id) => task(id)));
    expect(await stuckIds(store, { limit: 2 })).toEqual(['a1', 'a2']);
    expect(await stuckIds(store, { idPrefix: 'b' })).toEqual(['b1', 'b2', 'b3']);
    const signal = AbortSignal.abort(new Error('enough'));
    expect(await rejection(stuck(store, { signal }))).toMatchObject({ message: 'enough' });
  });

  it.each([[{ stuckAfterMs: -1 }], [{ limit: 0 }]])('refuses %j', async (options) => {
    expect(await rejection(stuck(t.box, options))).toMatchObject({ code: 'INVALID_OPTION' });
  });
});

describe('maintenanceActor', () => {
  it('cleans and inspects as tasks, also by schedule', async () => {
    const store = t.namespace();
    await store.insertTasks([task('old'), task('stuck', { action: 'nobody' })]);
    await giveBack(store, await own(store));
    const found: StuckTask[] = [];
    const actor = maintenanceActor(store, {
      clean: { minAgeMs: 0 },
      inspect: { stuckAfterMs: 0, idPrefix: 'stuck' },
      onStuck: (one) => void found.push(one),
    });
    await startManager(store, actor);
    for (const [name, action] of [
      ['clean', 'signalbox.clean'],
      ['inspect', 'signalbox.inspect'],
    ] as const) {
      await store.schedules.put({ name, cron: '0 3 * * *', task: { action } });
      const id = await store.schedules.runNow(name);
      expect(await store.waitFor(id)).toMatchObject({
        statusCode: 'completed',
        result: name === 'clean' ? { deleted: 1 } : { stuck: ['stuck'] },
      });
    }
    expect(found).toMatchObject([{ id: 'stuck' }]);
    expect(await listedIds(store, { idPrefix: 'old' })).toEqual([]);
  });

  it('ends between two batches when its manager stops', async () => {
    const store = t.namespace();
    const ids = range(100).map((i) => `old-${i}`);
    await store.insertTasks([
      ...ids.map((id) => task(id)),
      task('clean', { action: 'signalbox.clean' }),
    ]);
    await giveBack(store, await own(store));
    let onFirst = (): void => {};
    const first = new Promise<void>((resolve) => {
      onFirst = resolve;
    });
    const clean = { minAgeMs: 0, batchSize: 1, onProgress: () => onFirst() };
    const manager = await startManager(store, maintenanceActor(store, { clean }));
    await first;
    await manager.stop({ timeoutMs: 0 });
    const left = await listedIds(store, { idPrefix: 'old' });
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(ids.length);
  });
});
