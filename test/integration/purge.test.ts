import { describe, expect, it } from 'vitest';
import type { TaskFilter } from '../../src/index.js';
import {
  giveBack,
  listedIds,
  own,
  range,
  rejection,
  statuses,
  task,
} from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

async function variety() {
  const store = t.namespace();
  await store.insertTasks([
    task('done', { action: 'done' }),
    task('failed', { action: 'failed', queue: 'far' }),
    task('owned', { action: 'owned' }),
    task('ready'),
  ]);
  await giveBack(store, await own(store, { actions: ['done'] }));
  await giveBack(store, await own(store, { actions: ['failed'], queues: ['far'] }), {
    statusCode: 'aborted',
  });
  await own(store, { actions: ['owned'] });
  return store;
}

describe('purging', () => {
  // tasq: purge with each filter, safe or not.
  const CASES: [TaskFilter, string[]][] = [
    [{ statusCodes: ['completed', 'aborted'] }, ['owned', 'ready']],
    [{ statusCodes: ['in-progress'] }, ['done', 'failed', 'owned', 'ready']],
    [{ actions: ['work', 'owned'] }, ['done', 'failed', 'owned']],
    [{ queues: ['far'] }, ['done', 'owned', 'ready']],
    [{ idPrefix: 'd' }, ['failed', 'owned', 'ready']],
    [{ idPrefix: '' }, ['owned']],
    [{ endedBefore: new Date(0) }, ['done', 'failed', 'owned', 'ready']],
    [{ endedBefore: new Date(2 ** 42) }, ['owned', 'ready']],
    [{ queues: ['far'], statusCodes: ['completed'] }, ['done', 'failed', 'owned', 'ready']],
    [{ idPrefix: '', limit: 1 }, ['failed', 'owned', 'ready']],
    [{ idPrefix: '', limit: 3 }, ['owned']],
  ];

  it.each(CASES)('by %j deletes what fits and is not in progress', async (filter, expected) => {
    const store = await variety();
    expect(await store.purgeTasks(filter)).toBe(4 - expected.length);
    expect(await listedIds(store)).toEqual(expected);
  });

  it('by force deletes tasks in progress too', async () => {
    const store = await variety();
    expect(await store.purgeTasks({ statusCodes: ['in-progress'] }, { force: true })).toBe(1);
    expect(await store.purgeTasks({ idPrefix: '' }, { force: true })).toBe(3);
  });

  it('refuses a filter without a condition, in a namespace too, and says what to give instead', async () => {
    const store = await variety();
    for (const purging of [t.box.purgeTasks({}), store.purgeTasks({ limit: 5 })]) {
      const error = await rejection(purging);
      expect(error).toMatchObject({ code: 'INVALID_OPTION', option: 'filter' });
      expect(String(error)).toContain("{ idPrefix: '' }");
    }
    expect(await listedIds(store)).toHaveLength(4);
  });

  it('stays within its namespace', async () => {
    const [one, other] = [await variety(), await variety()];
    await one.purgeTasks({ idPrefix: '' }, { force: true });
    expect(await listedIds(one)).toEqual([]);
    expect(await listedIds(other)).toHaveLength(4);
  });

  it('deletes waiting tasks that are left without dependencies, and counts them', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('a', { toSignalAfter: ['b'] }),
      task('b', { action: 'other', toSignalAfter: ['c'] }),
      task('c', { action: 'other' }),
    ]);
    expect(await store.purgeTasks({ actions: ['work'] })).toBe(3);
    expect(await statuses(store)).toEqual({});
  });

  it('goes through more tasks than a batch, tells how far it is, and stops at its signal', async () => {
    const store = t.namespace();
    await store.insertTasks(range(3_500).map((i) => task(`t${i}`)));
    const seen: number[] = [];
    const stop = new AbortController();
    const purging = store.purgeTasks(
      { actions: ['work'] },
      {
        signal: stop.signal,
        onProgress: (numDeleted) => {
          seen.push(numDeleted);
          if (seen.length === 2) stop.abort(new Error('enough'));
        },
      },
    );
    expect(await rejection(purging)).toMatchObject({ message: 'enough' });
    expect(seen).toEqual([1_000, 2_000]);
    expect(await store.purgeTasks({ actions: ['work'] })).toBe(1_500);
  });
});

describe('deleting named tasks', () => {
  it('passes over tasks in progress when not forced', async () => {
    const store = await variety();
    const ids = ['done', 'owned', 'ready', 'ghost'];
    expect(await store.deleteTasks(ids, { force: false })).toBe(2);
    expect(await listedIds(store)).toEqual(['failed', 'owned']);
    expect(await store.deleteTasks(ids)).toBe(1);
  });
});
