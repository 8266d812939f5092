import { describe, expect, it } from 'vitest';
import type { TaskFilter } from '../../src/index.js';
import {
  giveBack,
  listedIds,
  milestone,
  own,
  range,
  rejection,
  statuses,
  task,
} from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

/** One ready, one owned, one completed, one aborted, one that waits, in two queues. */
async function variety() {
  const store = t.namespace();
  await store.insertTasks([
    task('ready'),
    task('owned', { action: 'owned' }),
    task('done', { action: 'done', queue: 'far' }),
    task('failed', { action: 'failed', queue: 'far' }),
    milestone('waiting', { totalDependencies: 1 }),
  ]);
  const request = { queues: ['default', 'far'] };
  await own(store, { ...request, actions: ['owned'] });
  await giveBack(store, await own(store, { ...request, actions: ['done'] }));
  await giveBack(store, await own(store, { ...request, actions: ['failed'] }), {
    statusCode: 'aborted',
  });
  return store;
}

describe('counting tasks', () => {
  it('counts by queue, action and status, within the prefix', async () => {
    await t.namespace().insertTasks([task('another')]);
    const store = await variety();
    expect(await store.countTasks()).toEqual([
      { queue: 'default', action: 'owned', statusCode: 'in-progress', count: 1 },
      { queue: 'default', action: 'work', statusCode: 'pending', count: 1 },
      { queue: 'default', action: null, statusCode: 'pending', count: 1 },
      { queue: 'far', action: 'done', statusCode: 'completed', count: 1 },
      { queue: 'far', action: 'failed', statusCode: 'aborted', count: 1 },
    ]);
  });

  // tasq: count and scan, with each filter.
  const CASES: [string, TaskFilter, string[]][] = [
    ['nothing', {}, ['done', 'failed', 'owned', 'ready', 'waiting']],
    ['statuses', { statusCodes: ['pending', 'aborted'] }, ['failed', 'ready', 'waiting']],
    ['actions', { actions: ['work', 'done'] }, ['done', 'ready']],
    ['queues', { queues: ['far'] }, ['done', 'failed']],
    ['a prefix of the ids', { idPrefix: 'wait' }, ['waiting']],
    ['several', { queues: ['far'], statusCodes: ['completed'] }, ['done']],
    ['an empty list', { actions: [] }, []],
    ['an end long ago', { endedBefore: new Date(0) }, []],
    ['an end before tomorrow', { endedBefore: new Date(2 ** 42) }, ['done', 'failed']],
    ['changes since tomorrow', { updatedSince: new Date(2 ** 42) }, []],
    [
      'no change since tomorrow',
      { updatedBefore: new Date(2 ** 42), actions: ['work'] },
      ['ready'],
    ],
  ];

  it.each(CASES)('counts and lists the same tasks by %s', async (_, filter, expected) => {
    const store = await variety();
    expect(await listedIds(store, filter)).toEqual(expected);
    const counts = await store.countTasks(filter);
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(expected.length);
  });

  it('lists what has changed since the change of another task, that one included', async () => {
    const store = await variety();
    await giveBack(store, await own(store));
    const ready = await store.getTask('ready');
    expect(await listedIds(store, { updatedSince: ready?.updatedAt ?? new Date(0) })).toEqual([
      'ready',
    ]);
    expect(await listedIds(store, { endedBefore: ready?.finishedAt ?? new Date(0) })).toEqual([
      'done',
      'failed',
    ]);
  });

  it.each(['updatedSince', 'updatedBefore', 'endedBefore'])(
    'refuses a %s that is no time',
    async (name) => {
      const error = await rejection(t.box.countTasks({ [name]: new Date('never') }));
      expect(error).toMatchObject({ code: 'INVALID_OPTION', option: name });
    },
  );

  it('counts many', async () => {
    const store = t.namespace();
    await store.insertTasks(range(3_000).map((i) => task(`t${i}`)));
    expect(await store.countTasks()).toMatchObject([{ count: 3_000 }]);
    expect(Object.keys(await statuses(store))).toHaveLength(3_000);
  });
});
