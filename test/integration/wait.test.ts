import { describe, expect, inject, it, onTestFinished } from 'vitest';
import {
  TaskNotFoundError,
  type TaskStore,
  WaitCancelledError,
  WaitTimeoutError,
} from '../../src/index.js';
import {
  drain,
  eventually,
  giveBack,
  milestone,
  own,
  ownOne,
  range,
  rejection,
  task,
} from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

let names = 0;
/** A box of its own, whose LISTEN connection has a name of its own. */
async function named() {
  const name = `${t.schema}-${++names}`;
  const url = inject('connectionString');
  const box = await t.another({
    listenConnectionString: `${url}${url.includes('?') ? '&' : '?'}application_name=${name}`,
  });
  const pids = async (): Promise<number[]> => {
    const sql = 'select pid from pg_stat_activity where application_name = $1';
    const { rows } = await t.pool.query<{ pid: number }>(sql, [name]);
    return rows.map(({ pid }) => pid);
  };
  return { box, store: box.withPrefix(`named${names}`), pids };
}

async function endAll(store: TaskStore): Promise<void> {
  await drain(store, { maxTasks: 500 }, { statusCode: 'completed', status: 'yay' });
}

describe('waiting (parade 11)', () => {
  it.each(['before', 'after'])('from %s the end gives the outcome', async (when) => {
    const store = t.namespace();
    await store.insertTasks([task('111', { action: 'frob' }), task('222', { action: 'broz' })]);
    const end = async () => {
      const request = { actions: ['frob'] };
      await giveBack(store, await own(store, request), { statusCode: 'aborted', status: 'b0rked' });
      await giveBack(store, await own(store, { actions: ['broz'] }), {
        statusCode: 'completed',
        status: 'yay',
        result: { rows: 3 },
      });
    };
    if (when === 'after') await end();
    const waiters = [await store.newWaiter('111'), await store.newWaiter('222')];
    const outcomes = Promise.all(waiters.map((waiter) => waiter.wait()));
    if (when === 'before') await end();
    expect(await outcomes).toEqual([
      { id: '111', statusCode: 'aborted', status: 'b0rked', result: null },
      { id: '222', statusCode: 'completed', status: 'yay', result: { rows: 3 } },
    ]);
    expect(await waiters[0]?.wait()).toMatchObject({ status: 'b0rked' });
  });

  it('by many on one waiter tells all', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const waiter = await store.newWaiter('a');
    const all = Promise.all(range(20).map(() => waiter.wait()));
    await endAll(store);
    expect(new Set((await all).map(({ status }) => status))).toEqual(new Set(['yay']));
  });

  it('for many in one call gives the outcomes in the order of the ids, duplicates too', async () => {
    const store = t.namespace();
    await store.insertTasks(['a', 'b', 'c'].map((id) => task(id)));
    const outcomes = store.waitFor(['c', 'a', 'c', 'b']);
    await endAll(store);
    expect((await outcomes).map(({ id }) => id)).toEqual(['c', 'a', 'c', 'b']);
    expect(await store.waitFor([])).toEqual([]);
  });

  it('sees ends of every kind: skipped, cancelled, milestones, lapses on the last try', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('dep', { toSignalAfter: ['skipped', 'gate'] }),
      task('skipped', { runWhen: 'any_failed' }),
      milestone('gate'),
      task('cancelled', { action: 'never' }),
      task('lapsed', { action: 'slow', maxTries: 1 }),
    ]);
    const outcomes = store.waitFor(['skipped', 'gate', 'cancelled', 'lapsed']);
    await endAll(store);
    await store.cancelTasks(['cancelled']);
    await ownOne(store, { actions: ['slow'], maxDurationMs: 1 });
    await t.pool.query(`select run_timers(now() + interval '1 hour')`);
    expect((await outcomes).map(({ statusCode }) => statusCode)).toEqual([
      'skipped',
      'completed',
      'cancelled',
      'aborted',
    ]);
  });
});

describe('a wait ends without the task', () => {
  it('when its waiter is cancelled', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const waiter = await store.newWaiter('a');
    const waiting = rejection(waiter.wait());
    waiter.cancel();
    expect(await waiting).toBeInstanceOf(WaitCancelledError);
    expect(await rejection(waiter.wait())).toMatchObject({ ids: ['a'] });
    await endAll(store);
  });

  it('after timeoutMs, naming what has not ended', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a'), task('b', { action: 'never' })]);
    await endAll(store);
    const error = await rejection(store.waitFor(['a', 'b'], { timeoutMs: 150 }));
    expect(error).toBeInstanceOf(WaitTimeoutError);
    expect(error).toMatchObject({ code: 'WAIT_TIMEOUT', ids: ['b'], timeoutMs: 150 });
  });

  it('when its AbortSignal fires, with the reason as the cause', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const abort = new AbortController();
    const waiting = rejection(store.waitFor('a', { signal: abort.signal }));
    abort.abort(new Error('enough'));
    expect(await waiting).toBeInstanceOf(WaitCancelledError);
    expect(await waiting).toMatchObject({ ids: ['a'], cause: { message: 'enough' } });
    const late = await rejection(store.waitFor('a', { signal: abort.signal }));
    expect(late).toBeInstanceOf(WaitCancelledError);
  });

  it('when there is no such task, naming all of them', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    expect(await rejection(store.newWaiter('ghost'))).toBeInstanceOf(TaskNotFoundError);
    const error = await rejection(store.waitFor(['a', 'ghost1', 'ghost2']));
    expect(error).toMatchObject({ code: 'TASK_NOT_FOUND', ids: ['ghost1', 'ghost2'] });
  });

  it('when the task is deleted', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { toSignalAfter: ['b'] }), task('b')]);
    const waiters = [await store.newWaiter('a'), await store.newWaiter('b')];
    const errors = Promise.all(waiters.map((waiter) => rejection(waiter.wait())));
    await store.deleteTasks(['a']);
    for (const error of await errors) expect(error).toBeInstanceOf(TaskNotFoundError);
  });

  it('when the box is closed', async () => {
    const { box, store } = await named();
    await store.insertTasks([task('a')]);
    const waiting = rejection((await store.newWaiter('a')).wait());
    await box.close();
    expect(await waiting).toBeInstanceOf(WaitCancelledError);
  });
});

describe('two thousand waiters', () => {
  it('share one connection, and all get their outcomes', async () => {
    const { store, pids } = await named();
    const ids = range(2000).map((i) => `t${i}`);
    await store.insertTasks(ids.map((id) => task(id)));
    const waiters = await Promise.all(ids.map((id) => store.newWaiter(id)));
    expect(await pids()).toHaveLength(1);
    const outcomes = Promise.all(waiters.map((waiter) => waiter.wait()));
    await endAll(store);
    expect((await outcomes).map(({ id }) => id)).toEqual(ids);
    expect(await pids()).toHaveLength(1);
  });

  it('lose nothing when that connection is killed in the middle, and again', async () => {
    const { store, pids } = await named();
    const ids = range(2000).map((i) => `t${i}`);
    await store.insertTasks(ids.map((id) => task(id)));
    const outcomes = store.waitFor(ids, { timeoutMs: 30_000 });
    for (let round = 0; round < 2; round++) {
      const [pid] = await eventually(async () => {
        const found = await pids();
        expect(found).toHaveLength(1);
        return found;
      });
      await giveBack(store, await own(store, { maxTasks: 500 }));
      await t.pool.query('select pg_terminate_backend($1)', [pid]);
      // Nobody listens now: these ends are notified to nobody.
      await giveBack(store, await own(store, { maxTasks: 500 }));
      await eventually(async () => expect(await pids()).not.toContain(pid));
    }
    expect((await outcomes).map(({ id }) => id)).toEqual(ids);
  });

  it('miss no end that comes while they begin to wait', async () => {
    const { store } = await named();
    const ids = range(1000).map((i) => `t${i}`);
    await store.insertTasks(ids.map((id) => task(id)));
    const ending = drain(store, { maxTasks: 20 });
    const outcomes = await Promise.all(ids.map((id) => store.waitFor(id, { timeoutMs: 30_000 })));
    expect(outcomes.every(({ statusCode }) => statusCode === 'completed')).toBe(true);
    await ending;
  });

  it('wait for a row that somebody has locked without holding the others up', async () => {
    const { store } = await named();
    await store.insertTasks([task('locked', { action: 'never' }), task('free')]);
    const session = await t.pool.connect();
    onTestFinished(() => session.release());
    await session.query('begin');
    await session.query(`select 1 from task where id like '%.locked' for update`);
    const both = store.waitFor(['locked', 'free'], { timeoutMs: 30_000 });
    const free = store.waitFor('free', { timeoutMs: 30_000 });
    await endAll(store);
    expect(await free).toMatchObject({ id: 'free' });
    await session.query('commit');
    await store.cancelTasks(['locked']);
    expect((await both).map(({ statusCode }) => statusCode)).toEqual(['cancelled', 'completed']);
  });
});

it('a milestone with a start time ends though nobody works: whoever waits runs the timers', async () => {
  const store = t.namespace();
  await store.insertTasks([
    { id: 'start', action: null, startAfter: new Date(Date.now() + 100), toSignalAfter: ['end'] },
    { id: 'end', action: null },
  ]);
  const outcome = await store.waitFor('end', { timeoutMs: 20_000 });
  expect(outcome.statusCode).toBe('completed');
});
