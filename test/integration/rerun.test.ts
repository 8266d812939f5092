import { describe, expect, it } from 'vitest';
import { InvalidTokenError, type TaskInput, UniqueKeyTakenError } from '../../src/index.js';
import {
  drain,
  giveBack,
  milestone,
  own,
  ownOne,
  rejection,
  sortedIds,
  statuses,
  task,
} from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

/** a and b -> c -> m (a milestone) -> d. */
function graph(): TaskInput[] {
  return [
    task('a', { action: 'first', toSignalAfter: ['c'], maxTries: 2 }),
    task('b', { action: 'first', toSignalAfter: ['c'] }),
    task('c', { action: 'second', toSignalAfter: ['m'] }),
    milestone('m', { toSignalAfter: ['d'] }),
    task('d', { action: 'third' }),
  ];
}
const actions = ['first', 'second', 'third'];

describe('running an ended task again', () => {
  it('gives it all its tries, and no old outcome', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { maxTries: 2 })]);
    await drain(store, {}, { statusCode: 'pending', status: 'failed', result: 1 });
    expect(await store.getTask('a')).toMatchObject({
      statusCode: 'aborted',
      numTries: 2,
      result: 1,
    });

    expect(await store.rerunTasks(['a', 'ghost'])).toBe(1);
    expect(await store.getTask('a')).toMatchObject({
      statusCode: 'pending',
      status: null,
      result: null,
      numTries: 0,
      startedAt: null,
      finishedAt: null,
    });
    const owned = await ownOne(store);
    expect(owned.numTries).toBe(1);
    await giveBack(store, [owned]);
    expect(await statuses(store)).toEqual({ a: 'completed' });
  });

  it('leaves alone what has not ended', async () => {
    const store = t.namespace();
    await store.insertTasks([task('ready'), task('owned', { action: 'other' })]);
    await ownOne(store, { actions: ['other'] });
    expect(await store.rerunTasks(['ready', 'owned'])).toBe(0);
    expect(await statuses(store)).toEqual({ ready: 'pending', owned: 'in-progress' });
  });

  it('not before startAfter', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    await drain(store);
    await store.rerunTasks(['a'], { startAfter: new Date(Date.now() + 3_600_000) });
    expect(await own(store)).toEqual([]);
    await t.pool.query(`select run_timers(now() + interval '2 hours')`);
    expect(await ownOne(store)).toMatchObject({ id: 'a' });
  });

  it('lets a cancelled and a skipped one run', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('dep', { action: 'first', toSignalAfter: ['skipped'] }),
      task('skipped', { runWhen: 'all_succeeded' }),
      task('cancelled'),
    ]);
    await store.cancelTasks(['cancelled', 'dep']);
    expect((await store.getTask('skipped'))?.statusCode).toBe('skipped');

    expect(await store.rerunTasks(['dep', 'cancelled'], { downstream: true })).toBe(3);
    expect(await drain(store, { actions: ['first'] })).toEqual(['dep']);
    expect((await drain(store)).sort()).toEqual(['cancelled', 'skipped']);
  });
});

describe('running again without downstream', () => {
  it('leaves what has begun as it is, which gets no second signal', async () => {
    const store = t.namespace();
    await store.insertTasks(graph());
    await drain(store, { actions });
    expect(await store.rerunTasks(['a'])).toBe(1);
    expect(await drain(store, { actions })).toEqual(['a']);
    expect(await store.getTask('c')).toMatchObject({ statusCode: 'completed', numSignals: 2 });
  });

  it('takes the signal back from what has not begun, which waits again', async () => {
    const store = t.namespace();
    await store.insertTasks(graph());
    await drain(store, { actions: ['first'] }, { statusCode: 'aborted' });
    expect(await store.getTask('c')).toMatchObject({ numSignals: 2, numFailures: 2 });

    await store.rerunTasks(['a']);
    expect(await store.getTask('c')).toMatchObject({ numSignals: 1, numFailures: 1 });
    expect(await own(store, { actions: ['second'] })).toEqual([]);
    await drain(store, { actions: ['first'] });
    expect(await ownOne(store, { actions: ['second'] })).toMatchObject({ numSignalledFailures: 1 });
  });

  it('takes the signal back from a task that was cancelled while it waited', async () => {
    const store = t.namespace();
    await store.insertTasks(graph());
    await giveBack(store, await own(store, { actions: ['first'], maxTasks: 1 }));
    await store.cancelTasks(['c']);
    await store.rerunTasks(['a']);
    await store.rerunTasks(['c']);
    // b has not ended: c must wait for it, though a ended twice.
    await giveBack(
      store,
      (await own(store, { actions: ['first'] })).filter(({ id }) => id === 'a'),
    );
    expect(await store.getTask('c')).toMatchObject({ statusCode: 'pending', numSignals: 1 });
    expect(await own(store, { actions: ['second'] })).toEqual([]);
  });
});

describe('running again with downstream', () => {
  it('runs all that follows in its order, and what came before not', async () => {
    const store = t.namespace();
    await store.insertTasks(graph());
    await drain(store, { actions });
    expect(await store.rerunTasks(['a'], { downstream: true })).toBe(4);
    expect(await statuses(store)).toEqual({
      a: 'pending',
      b: 'completed',
      c: 'pending',
      m: 'pending',
      d: 'pending',
    });
    expect(await drain(store, { actions })).toEqual(['a', 'c', 'd']);
    expect((await store.getTask('m'))?.statusCode).toBe('completed');
  });

  it('takes a task in progress from its owner', async () => {
    const store = t.namespace();
    await store.insertTasks(graph());
    await drain(store, { actions: ['first'] });
    const { id, token } = await ownOne(store, { actions: ['second'] });
    await store.rerunTasks(['a'], { downstream: true });
    const returned = store.returnTask(id, token, { statusCode: 'completed' });
    expect(await rejection(returned)).toBeInstanceOf(InvalidTokenError);
    expect(await drain(store, { actions })).toEqual(['a', 'c', 'd']);
  });

  it('reruns the failed part of a graph only', async () => {
    const store = t.namespace();
    await store.insertTasks(graph().map((one) => ({ ...one, runWhen: 'all_succeeded' as const })));
    const [a, b] = await own(store, { actions: ['first'] });
    if (a) await giveBack(store, [a]);
    if (b) await giveBack(store, [b], { statusCode: 'aborted' });
    expect((await store.getTask('c'))?.statusCode).toBe('skipped');

    await store.rerunTasks(['b'], { downstream: true });
    expect(sortedIds(await own(store, { actions: ['second', 'third'] }))).toEqual([]);
    expect(await drain(store, { actions })).toEqual(['b', 'c', 'd']);
    expect(new Set(Object.values(await statuses(store)))).toEqual(new Set(['completed']));
  });
});

describe('running a task with a unique key again', () => {
  it('takes the key, or says that another has it and changes nothing', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { uniqueKey: 'k' })]);
    await drain(store);
    await store.rerunTasks(['a']);
    await expect(store.insertTasks([task('b', { uniqueKey: 'k' })])).rejects.toThrow(
      UniqueKeyTakenError,
    );
    await drain(store);
    await store.insertTasks([task('b', { uniqueKey: 'k' })]);

    const error = await rejection(store.rerunTasks(['a']));
    expect(error).toBeInstanceOf(UniqueKeyTakenError);
    expect(error).toMatchObject({ keys: ['k'] });
    expect(await statuses(store)).toEqual({ a: 'completed', b: 'pending' });
  });
});
