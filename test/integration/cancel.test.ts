import { describe, expect, it } from 'vitest';
import { InvalidTokenError } from '../../src/index.js';
import {
  drain,
  giveBack,
  milestone,
  own,
  ownOne,
  range,
  rejection,
  statuses,
  task,
} from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

describe('cancelling', () => {
  it('ends a ready task, keeps the reason, and counts as a failure downstream', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { toSignalAfter: ['b'] }), task('b', { action: 'finish' })]);
    expect(await store.cancelTasks(['a', 'ghost'], { status: 'not wanted' })).toBe(1);
    expect(await store.getTask('a')).toMatchObject({
      statusCode: 'cancelled',
      status: 'not wanted',
    });
    expect(await own(store)).toEqual([]);
    expect(await ownOne(store, { actions: ['finish'] })).toMatchObject({ numSignalledFailures: 1 });
  });

  it('of a task in progress tells its owner at the next extension or return', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const { id, token } = await ownOne(store, { maxDurationMs: 60_000 });
    expect(await store.cancelTasks(['a'])).toBe(1);
    await expect(store.extendTaskDeadline(id, token, 1000)).rejects.toThrow(InvalidTokenError);
    const returned = store.returnTask(id, token, { statusCode: 'completed' });
    expect(await rejection(returned)).toBeInstanceOf(InvalidTokenError);
    expect(await store.getTask('a')).toMatchObject({ statusCode: 'cancelled', deadline: null });
  });

  it('of a delayed task holds when its time comes', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { startAfter: new Date(Date.now() + 3_600_000) })]);
    expect(await store.cancelTasks(['a'])).toBe(1);
    await t.pool.query(`select run_timers(now() + interval '2 hours')`);
    expect(await own(store)).toEqual([]);
    expect(await statuses(store)).toEqual({ a: 'cancelled' });
  });

  it('of a task that waits holds when its signals come', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('a', { toSignalAfter: ['b'] }),
      task('b', { action: 'never', toSignalAfter: ['c'] }),
      task('c', { action: 'finish' }),
    ]);
    await store.cancelTasks(['b']);
    expect(await drain(store, { actions: ['finish'] })).toEqual(['c']);
    expect(await drain(store, { actions: ['work', 'never'] })).toEqual(['a']);
    expect(await statuses(store)).toEqual({ a: 'completed', b: 'cancelled', c: 'completed' });
  });

  it.each([['completed'], ['aborted']] as const)(
    'leaves a task that was %s alone',
    async (statusCode) => {
      const store = t.namespace();
      await store.insertTasks([task('a')]);
      await giveBack(store, [await ownOne(store)], { statusCode });
      expect(await store.cancelTasks(['a'])).toBe(0);
      expect(await statuses(store)).toEqual({ a: statusCode });
    },
  );

  it('completes the milestones that waited for nothing else', async () => {
    const store = t.namespace();
    await store.insertTasks([
      ...range(10).map((i) => task(`t${i}`, { toSignalAfter: ['m'] })),
      milestone('m'),
    ]);
    expect(await store.cancelTasks(range(10).map((i) => `t${i}`))).toBe(10);
    expect(await store.getTask('m')).toMatchObject({ statusCode: 'completed', numFailures: 10 });
  });
});

describe('cancelling downstream', () => {
  it('ends all that would have been signalled, milestones too, and what has ended stays', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('done', { action: 'first', toSignalAfter: ['a'] }),
      task('a', { toSignalAfter: ['b', 'm'] }),
      task('b', { toSignalAfter: ['c'] }),
      milestone('m', { toSignalAfter: ['c'] }),
      task('c', { toSignalAfter: ['outside'] }),
      task('other', { action: 'never', toSignalAfter: ['c'] }),
      task('outside', { totalDependencies: 5 }),
    ]);
    await drain(store, { actions: ['first'] });
    expect(await store.cancelTasks(['done'], { downstream: true })).toBe(5);
    expect(await statuses(store)).toEqual({
      done: 'completed',
      a: 'cancelled',
      b: 'cancelled',
      m: 'cancelled',
      c: 'cancelled',
      outside: 'cancelled',
      other: 'pending',
    });
  });
});
