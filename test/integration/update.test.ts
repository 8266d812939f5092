import { describe, expect, it } from 'vitest';
import {
  InvalidBodyError,
  InvalidOptionError,
  InvalidTaskError,
  TaskNotFoundError,
  TaskNotPendingError,
  type TaskUpdate,
} from '../../src/index.js';
import { drain, giveBack, own, ownOne, rejection, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const HOUR_MS = 3_600_000;

describe('updating', () => {
  it('changes what the owner gets, and when', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('a', { body: 'old' }),
      task('b', { body: 'kept' }),
      task('c', { body: 'gone', startAfter: new Date(Date.now() + HOUR_MS) }),
    ]);
    await store.updateTasks([
      { id: 'a', body: { to: ['new'] } },
      { id: 'b', priority: 5 },
      { id: 'c', body: null, startAfter: null },
    ]);
    expect(await own(store)).toMatchObject([
      { id: 'b', body: 'kept', priority: 5 },
      { id: 'a', body: { to: ['new'] } },
      { id: 'c', body: null },
    ]);
    expect(await store.getTask('c')).toMatchObject({ startAfter: null });
  });

  it('puts a task off', async () => {
    const store = t.namespace();
    const startAfter = new Date(Date.now() + HOUR_MS);
    await store.insertTasks([task('a')]);
    await store.updateTasks([{ id: 'a', startAfter }]);
    expect(await own(store)).toEqual([]);
    expect(await store.getTask('a')).toMatchObject({ startAfter });
    await t.pool.query(`select run_timers(now() + interval '2 hours')`);
    expect(await ownOne(store)).toMatchObject({ id: 'a' });
  });

  it('of a task that waits for others holds once it may run', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('first', { action: 'first', toSignalAfter: ['a'] }),
      task('a'),
      task('b', { priority: 1 }),
    ]);
    await store.updateTasks([{ id: 'a', body: 'new', priority: 2 }]);
    await drain(store, { actions: ['first'] });
    expect(await own(store)).toMatchObject([{ id: 'a', body: 'new' }, { id: 'b' }]);
  });

  it('of none is nothing', async () => {
    await t.namespace().updateTasks([]);
  });
});

describe('an update that is refused changes nothing', () => {
  it('because a task does not exist', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const error = await rejection(
      store.updateTasks([{ id: 'a', priority: 1 }, { id: 'ghost', body: 1 }, { id: 'another' }]),
    );
    expect(error).toBeInstanceOf(TaskNotFoundError);
    expect(error).toMatchObject({ ids: ['another', 'ghost'] });
    expect(await store.getTask('a')).toMatchObject({ priority: 0 });
  });

  it('because a task has begun or ended', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a'), task('ended'), task('owned'), task('late')]);
    const held = await own(store, { maxTasks: 3 });
    await giveBack(
      store,
      held.filter(({ id }) => id === 'ended'),
    );
    await giveBack(
      store,
      held.filter(({ id }) => id === 'a'),
      { statusCode: 'pending' },
    );
    const ids = ['late', 'owned', 'a', 'ended'];
    const error = await rejection(store.updateTasks(ids.map((id) => ({ id, priority: 1 }))));
    expect(error).toBeInstanceOf(TaskNotPendingError);
    expect(error).toMatchObject({ code: 'TASK_NOT_PENDING', ids: ['ended', 'owned'] });
    expect(await store.getTask('late')).toMatchObject({ priority: 0 });
  });

  it('because the body does not fit the schema of the action', async () => {
    const store = t.namespace();
    store.registerBodySchema('fetch', { type: 'object', required: ['url'] });
    await store.insertTasks([task('a', { action: 'fetch', body: { url: 'x' } }), task('b')]);
    const error = await rejection(
      store.updateTasks([
        { id: 'b', priority: 1 },
        { id: 'a', body: {} },
      ]),
    );
    expect(error).toBeInstanceOf(InvalidBodyError);
    expect(error).toMatchObject({ id: 'a' });
    expect(await store.getTask('b')).toMatchObject({ priority: 0 });
    await store.updateTasks([
      { id: 'a', body: { url: 'y' } },
      { id: 'b', body: 7 },
    ]);
  });

  it.each<[string, unknown, string]>([
    ['a priority out of range', { id: 'a', priority: 40_000 }, 'priority'],
    ['a priority that is none', { id: 'a', priority: '1' }, 'priority'],
    ['no time', { id: 'a', startAfter: new Date(Number.NaN) }, 'startAfter'],
    ['a field that cannot be changed', { id: 'a', queue: 'q' }, 'queue'],
    ['nothing at all', null, 'update'],
  ])('because of %s', async (_, update, field) => {
    const store = t.box;
    const error = await rejection(store.updateTasks([update as TaskUpdate]));
    expect(error).toBeInstanceOf(InvalidTaskError);
    expect(error).toMatchObject({ field });
  });

  it('because an id is empty, occurs twice, or there is no list', async () => {
    const store = t.box;
    expect(await rejection(store.updateTasks([{ id: '' }]))).toMatchObject({ field: 'id' });
    const twice = await rejection(store.updateTasks([{ id: 'a' }, { id: 'b' }, { id: 'a' }]));
    expect(twice).toBeInstanceOf(InvalidTaskError);
    expect(twice).toMatchObject({ id: 'a', field: 'id' });
    const noList: unknown = { id: 'a' };
    const none = await rejection(store.updateTasks(noList as TaskUpdate[]));
    expect(none).toBeInstanceOf(InvalidOptionError);
  });

  it('because the body cannot be stored', async () => {
    const error = await rejection(t.box.updateTasks([{ id: 'a', body: 'a\u0000b' }]));
    expect(error).toBeInstanceOf(InvalidBodyError);
  });
});
