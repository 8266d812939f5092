import { describe, expect, it } from 'vitest';
import { clockedStore } from '../support/clocked-store.js';
import { giveBack, own, ownOne, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

describe('the attempts of a task', () => {
  it('tell of each try that failed, by whom, when and why', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const error = 'Error: no route to host\n    at connect (net.js:1)';
    const first = await ownOne(store, { actorId: 'one' });
    await giveBack(store, [first], { statusCode: 'pending', status: 'no route to host', error });
    const second = await ownOne(store, { actorId: 'two' });
    await giveBack(store, [second], { statusCode: 'aborted', status: 'gave up' });

    const found = await store.getTask('a', { attempts: true });
    const times = { startedAt: expect.any(Date), endedAt: expect.any(Date) };
    expect(found?.attempts).toEqual([
      {
        numTry: 1,
        actorId: 'one',
        ...times,
        outcome: 'failed',
        status: 'no route to host',
        error,
      },
      { numTry: 2, actorId: 'two', ...times, outcome: 'aborted', status: 'gave up', error: null },
    ]);
  });

  it('are told of when asked for only', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    await giveBack(store, [await ownOne(store)], { statusCode: 'pending' });
    expect(await store.getTask('a')).not.toHaveProperty('attempts');
    expect((await store.getTask('a', { attempts: true }))?.attempts).toHaveLength(1);
    expect(await store.getTask('ghost', { attempts: true })).toBeNull();
  });

  it('are none where nothing failed', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const past = { statusCode: 'pending', startAfter: new Date(0) } as const;
    await giveBack(store, [await ownOne(store)], past);
    await giveBack(store, [await ownOne(store)], { statusCode: 'completed', error: 'unused' });
    expect((await store.getTask('a', { attempts: true }))?.attempts).toEqual([]);
  });

  it('hold the beginning of an error that is too long, in whole characters', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a'), task('b')]);
    const [a, b] = await own(store);
    // 16,383 units, and then a pair that does not fit.
    const error = `${'x'.repeat(16_383)}🙂${'y'.repeat(1_000_000)}`;
    await store.returnTask('a', a?.token ?? '', { statusCode: 'pending', error });
    await store.returnTask('b', b?.token ?? '', { statusCode: 'pending', error: 'nul: \u0000' });
    const errorOf = async (id: string) =>
      (await store.getTask(id, { attempts: true }))?.attempts?.[0]?.error;
    expect(await errorOf('a')).toBe('x'.repeat(16_383));
    expect(await errorOf('b')).toBe('nul: \ufffd');
  });

  it('tell of tries that lapsed, and not of one that had not begun', async () => {
    const { store, prefix, own, runTimers } = clockedStore(t);
    await store.insertTasks([task('a', { maxTries: 3 })]);
    await own(0, { maxDurationMs: 100 });
    await runTimers(100);
    await own(200, { maxDurationMs: 100 });
    await t.pool.query('update task set started_at = null where id = $1', [`${prefix}a`]);
    await runTimers(300);
    const found = await store.getTask('a', { attempts: true });
    expect(found).toMatchObject({ statusCode: 'pending', numTries: 1 });
    expect(found?.status).toMatch(/^owned ahead by actor .*me, which went away before it began$/);
    expect(found?.attempts).toMatchObject([
      { numTry: 1, actorId: 'me', outcome: 'lapsed', status: expect.stringMatching(/lapsed at/) },
    ]);
  });

  it('go with the task when it is deleted', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    await giveBack(store, [await ownOne(store)], { statusCode: 'aborted' });
    await store.deleteTasks(['a']);
    await store.insertTasks([task('a')]);
    expect((await store.getTask('a', { attempts: true }))?.attempts).toEqual([]);
  });
});
