import { describe, expect, inject, it } from 'vitest';
import {
  CycleError,
  DuplicateTaskError,
  UnknownTargetError,
  WaitCancelledError,
  WaitTimeoutError,
} from '../../src/index.js';
import { alteredStore } from '../support/altered-store.js';
import { clockedStore } from '../support/clocked-store.js';
import {
  drain,
  eventually,
  giveBack,
  own,
  ownOne,
  range,
  rejection,
  statuses,
  task,
} from '../support/factories.js';
import { startManager } from '../support/start-manager.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

/** What is done on purpose otherwise than in lakeFS parade, in the order of docs and design. */
describe('unlike parade', () => {
  it('1. exhausted retries count as a failure downstream', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('a', { maxTries: 2, toSignalAfter: ['end'] }),
      task('end', { action: 'finish' }),
    ]);
    expect(await drain(store, {}, { statusCode: 'pending' })).toEqual(['a', 'a']);
    expect(await ownOne(store, { actions: ['finish'] })).toMatchObject({ numSignalledFailures: 1 });
  });

  it('2. a last try whose deadline lapses is aborted and signals', async () => {
    const { store, own, runTimers } = clockedStore(t);
    await store.insertTasks([
      task('a', { maxTries: 1, toSignalAfter: ['end'] }),
      task('end', { action: 'finish' }),
    ]);
    await own(0, { maxDurationMs: 100 });
    await runTimers(100);
    expect((await store.getTask('a'))?.statusCode).toBe('aborted');
    expect(await own(100, { action: 'finish' })).toMatchObject([{ id: 'end', numFailures: 1 }]);
  });

  it('3. edges to missing tasks, cycles and duplicates are dealt with at insert', async () => {
    const store = t.namespace();
    const insert = (...edges: [string, string[]][]) =>
      rejection(store.insertTasks(edges.map(([id, toSignalAfter]) => task(id, { toSignalAfter }))));
    expect(await insert(['a', ['ghost']])).toBeInstanceOf(UnknownTargetError);
    expect(await insert(['a', ['b']], ['b', ['a']])).toBeInstanceOf(CycleError);
    expect(await insert(['a', []], ['a', []])).toBeInstanceOf(DuplicateTaskError);
    expect(await statuses(store)).toEqual({});
    await store.insertTasks([task('a', { toSignalAfter: ['b', 'b'] }), task('b')]);
    expect(await drain(store)).toEqual(['a', 'b']);
  });

  it("4. a waiter's cancel, time-out or lost connection ends or outlives its wait; one connection for all", async () => {
    const url = inject('connectionString');
    const name = `${t.schema}-difference`;
    const box = await t.another({
      listenConnectionString: `${url}${url.includes('?') ? '&' : '?'}application_name=${name}`,
    });
    const listeners = async () => {
      const sql = 'select pid from pg_stat_activity where application_name = $1';
      return (await t.pool.query(sql, [name])).rows;
    };
    const store = box.withPrefix('difference4');
    await store.insertTasks([task('never', { action: 'never' }), task('a')]);
    const waiter = await store.newWaiter('never');
    const cancelled = rejection(waiter.wait());
    const timedOut = rejection(store.waitFor('never', { timeoutMs: 50 }));
    const lasting = store.waitFor('a', { timeoutMs: 20_000 });
    await eventually(async () => expect(await listeners()).toHaveLength(1));

    waiter.cancel();
    expect(await cancelled).toBeInstanceOf(WaitCancelledError);
    expect(await timedOut).toBeInstanceOf(WaitTimeoutError);
    await t.pool.query('select pg_terminate_backend($1)', [(await listeners())[0].pid]);
    await drain(store);
    expect(await lasting).toMatchObject({ id: 'a', statusCode: 'completed' });
  });

  it("5. the prefix covers notify channels and the owning actor's id, and is stripped from everything", async () => {
    const store = t.box.withPrefix('difference5');
    await store.insertTasks([task('a', { notifyChannelAfter: 'channel' })]);
    await own(store, { actorId: 'actor' });
    const names = { notifyChannelAfter: 'difference5.channel', actorId: 'difference5.actor' };
    expect(await t.box.getTask('difference5.a')).toMatchObject(names);
    const stripped = { id: 'a', action: 'work', notifyChannelAfter: 'channel', actorId: 'actor' };
    expect(await store.getTask('a')).toMatchObject(stripped);
  });

  it('6. deleting a task whose signal has been given leaves its targets, and none that has started goes', async () => {
    t.allow({ signalsMayOutnumberSenders: true });
    const store = t.namespace();
    await store.insertTasks([
      task('done', { toSignalAfter: ['waits', 'started'] }),
      task('other', { action: 'never', toSignalAfter: ['waits', 'started'] }),
      task('waits', { action: 'never' }),
      task('started', { action: 'start', totalDependencies: 1 }),
    ]);
    await drain(store);
    await ownOne(store, { actions: ['start'] });
    expect(await store.deleteTasks(['done'])).toBe(1);
    expect(await store.getTask('waits')).toMatchObject({ totalDependencies: 2, numSignals: 1 });
    expect(await store.deleteTasks(['other'])).toBe(2);
    expect(await statuses(store)).toEqual({ started: 'in-progress' });
  });

  it("7. a return that fails for a passing reason is tried again; a handler's throw is caught", async () => {
    const store = t.namespace();
    await store.insertTasks([task('good'), task('throws', { maxTries: 1 })]);
    let isDown = true;
    const failing = alteredStore(store, {
      returnTasks: (returns) => {
        if (!isDown) return store.returnTasks(returns);
        isDown = false;
        return Promise.reject(new Error('connection lost'));
      },
    });
    await startManager(failing, ({ id }) => {
      if (id === 'throws') throw new Error('thrown');
    });
    const [good, throws] = await store.waitFor(['good', 'throws'], { timeoutMs: 20_000 });
    expect(good).toMatchObject({ statusCode: 'completed' });
    expect(throws).toMatchObject({ statusCode: 'aborted', status: 'thrown' });
    expect(await store.getTasks(['good', 'throws'])).toMatchObject([
      { numTries: 1 },
      { numTries: 1 },
    ]);
  });

  // Against 210,000 tasks, page by page: claim-plan.test.ts.
  it('8. owning costs the same whatever is finished, blocked or delayed', async () => {
    const store = t.box.withPrefix('difference8');
    const pages = async (): Promise<number> => {
      const { rows } = await t.pool.query(
        `explain (analyze, buffers, format json)
         select * from own_tasks('me', array['default'], array['difference8.work'], 1)`,
      );
      const { Plan: plan } = rows[0]['QUERY PLAN'][0];
      return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
    };
    // Where other sessions change many schemas, a session forgets what it knows of all, and reads the catalogs anew: once.
    const fewestPages = async () => Math.min(await pages(), await pages(), await pages());
    await store.insertTasks(range(8).map((i) => task(`ready${i}`, { priority: 1 })));
    const before = await fewestPages();
    const startAfter = new Date(Date.now() + 3_600_000);
    await store.insertTasks([
      task('first', { action: 'never', toSignalAfter: range(9000).map((i) => `blocked${i}`) }),
      ...range(9000).map((i) => task(`blocked${i}`)),
      ...range(9000).map((i) => task(`delayed${i}`, { startAfter })),
    ]);
    expect(await fewestPages()).toBeLessThan(before + 150);
  });

  it('9. ids of any length, null bodies, deletes of any size', async () => {
    const store = t.namespace();
    const long = range(2000).map((i) => `${'x'.repeat(1500)}${i}`);
    await store.insertTasks([
      task('first', { toSignalAfter: long }),
      ...long.map((id) => task(id, { body: null })),
    ]);
    await giveBack(store, [await ownOne(store)]);
    expect((await own(store, { maxTasks: 1 }))[0]?.body).toBeNull();
    expect(await store.deleteTasks(long)).toBe(2000);
  });
});
