import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ActionManager,
  defineActor,
  InvalidOptionError,
  InvalidTokenError,
  JobSettledError,
  type ManagerOptions,
  ManagerStoppedError,
  type ManualJob,
  PermanentError,
  type TaskStore,
} from '../../src/index.js';
import { eventually, range, rejection, statuses, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const ids = (count: number) => range(count).map((i) => `t${i}`);

function byHand(store: TaskStore, options: ManagerOptions = {}): ActionManager {
  const actor = { id: 'hand', actions: ['work'] };
  const manager = new ActionManager(store, actor, { waitTimeMs: 20, ...options });
  onTestFinished(() => manager.stop());
  return manager;
}

/** The next job of a loop. */
async function nextOf(jobs: AsyncIterator<ManualJob>): Promise<ManualJob> {
  const { value } = await jobs.next();
  if (!value) throw new Error('the loop has ended');
  return value;
}

describe('jobs by hand', () => {
  it('are completed, failed, snoozed and extended as the user says', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('good', { priority: 9 }),
      task('bad', { priority: 8, maxTries: 1 }),
      task('never', { priority: 7 }),
      task('later', { priority: 6, maxTries: 1 }),
    ]);
    const until = new Date(Date.now() + 60_000);
    let numJobs = 0;
    for await (const job of byHand(store, { workers: 1 }).jobs()) {
      await job.extend();
      if (job.task.id === 'good')
        job.complete({ bytes: 1 }, { tasks: [task('child', { action: 'x' })] });
      if (job.task.id === 'bad') job.fail(new Error('no'));
      if (job.task.id === 'never') job.fail(new PermanentError('never'));
      if (job.task.id === 'later') job.snooze(until);
      if (++numJobs === 4) break;
    }
    await store.waitFor(['good', 'bad', 'never']);
    await eventually(async () => {
      expect(await store.getTasks(['good', 'bad', 'never', 'later', 'child'])).toMatchObject([
        { statusCode: 'completed', result: { bytes: 1 } },
        { statusCode: 'aborted', status: 'no' },
        { statusCode: 'aborted', status: 'never' },
        { statusCode: 'pending', numTries: 0 },
        { statusCode: 'pending' },
      ]);
    });
  });

  it('are given out no more than there are workers, until one is settled', async () => {
    const store = t.namespace();
    await store.insertTasks(ids(5).map((id) => task(id)));
    const manager = byHand(store, { workers: 2 });
    const jobs = manager.jobs();
    const [first] = [await nextOf(jobs), await nextOf(jobs)];
    let isThird = false;
    const third = nextOf(jobs).then((job) => {
      isThird = true;
      return job;
    });
    // It is owned by now, if it ever will be while nobody can take it.
    await manager.stats();
    await eventually(async () => {
      const codes = Object.values(await statuses(store));
      expect(codes.filter((code) => code === 'in-progress').length).toBeGreaterThanOrEqual(2);
    });
    expect([isThird, manager.stats().performing]).toEqual([false, 2]);
    first?.complete();
    expect((await third).task.id).toBe('t2');
  });

  it('are shared by several loops, each job given once', async () => {
    const store = t.namespace();
    await store.insertTasks(ids(50).map((id) => task(id)));
    const manager = byHand(store, { workers: 4 });
    const done: string[] = [];
    const loop = async () => {
      for await (const job of manager.jobs()) {
        done.push(job.task.id);
        await new Promise(setImmediate);
        job.complete();
      }
    };
    const loops = range(3).map(loop);
    await store.waitFor(ids(50));
    await manager.stop();
    await Promise.all(loops);
    expect(done.sort()).toEqual(ids(50).sort());
  });

  it('leaving the loop takes no more: what waits goes back, another loop goes on', async () => {
    const store = t.namespace();
    await store.insertTasks(ids(20).map((id) => task(id, { maxTries: 1 })));
    const manager = byHand(store, { workers: 1 });
    let count = 0;
    for await (const job of manager.jobs()) {
      job.complete();
      if (++count === 12) break;
    }
    await eventually(async () => {
      const left = (await store.getTasks(ids(20))).filter(
        ({ statusCode }) => statusCode === 'pending',
      );
      expect(left).toHaveLength(8);
      expect(left.every(({ numTries }) => numTries === 0)).toBe(true);
    });
    // The database says so before its answer has come.
    await eventually(() => expect(manager.stats().held).toBe(0));
    for await (const job of manager.jobs()) {
      job.complete();
      if (++count === 20) break;
    }
    await store.waitFor(ids(20));
  });

  it('the loop ends when its signal fires, also while it waits', async () => {
    const store = t.namespace();
    const manager = byHand(store);
    const controller = new AbortController();
    const jobs = manager.jobs({ signal: controller.signal });
    const next = jobs.next();
    await eventually(() => expect(manager.stats().held).toBe(0));
    controller.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await jobs.next()).toEqual({ done: true, value: undefined });
    const fired = manager.jobs({ signal: AbortSignal.abort() });
    expect(await fired.next()).toEqual({ done: true, value: undefined });
  });

  it('are settled once: the second time is an error', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const job = await nextOf(byHand(store).jobs());
    expect(job.complete()).toBe(true);
    expect(() => job.complete()).toThrow(JobSettledError);
    expect(() => job.fail(new Error('no'))).toThrow(JobSettledError);
    expect(await store.waitFor('a')).toMatchObject({ statusCode: 'completed' });
  });

  it('that are lost fire their signal, and settling them says so', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const job = await nextOf(byHand(store, { maxDurationMs: 1_500 }).jobs());
    const fired = new Promise((resolve) => job.signal.addEventListener('abort', resolve));
    await store.cancelTasks(['a']);
    await fired;
    expect(job.signal.reason).toBeInstanceOf(InvalidTokenError);
    expect(job.complete()).toBe(false);
    expect(await rejection(job.extend())).toBeInstanceOf(InvalidTokenError);
    expect(await store.getTask('a')).toMatchObject({ statusCode: 'cancelled' });
  });

  it('that are not settled at a stop are handed back, no try used up', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { maxTries: 1 }), task('b', { maxTries: 1 })]);
    const manager = byHand(store, { workers: 1 });
    const jobs = manager.jobs();
    const job = await nextOf(jobs);
    await manager.stop();
    expect(job.signal.reason).toBeInstanceOf(ManagerStoppedError);
    expect(job.complete()).toBe(false);
    expect(await jobs.next()).toEqual({ done: true, value: undefined });
    expect(await rejection(manager.jobs().next())).toBeInstanceOf(ManagerStoppedError);
    for (const found of await store.getTasks(['a', 'b'])) {
      expect(found).toMatchObject({ statusCode: 'pending', numTries: 0 });
    }
  });

  it('have as long as a stop allows them', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const manager = byHand(store);
    const job = await nextOf(manager.jobs());
    const stopped = manager.stop({ timeoutMs: 60_000 });
    expect(job.complete('in time')).toBe(true);
    await stopped;
    expect(await store.getTask('a')).toMatchObject({ result: 'in time' });
  });

  it('pass through middleware, time-outs and hooks as handlers do', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { maxTries: 1 })]);
    const actor = { id: 'hand', actions: ['work'], settings: { work: { timeoutMs: 30 } } };
    const outcomes: string[] = [];
    const manager = new ActionManager(store, actor, {
      onReturned: (_, { statusCode }) => void outcomes.push(statusCode),
    });
    onTestFinished(() => manager.stop());
    manager.use(async (_, { values }, next) => {
      values.set('who', 'middleware');
      return next();
    });
    const job = await nextOf(manager.jobs());
    expect(job.values.get('who')).toBe('middleware');
    expect(await store.waitFor('a')).toMatchObject({ statusCode: 'aborted' });
    await eventually(() => expect(outcomes).toEqual(['aborted']));
    expect(job.signal.reason).toMatchObject({ code: 'HANDLER_TIMEOUT' });
  });

  it('are not for actors with handlers, nor for some of each', () => {
    const store = t.namespace();
    const handled = defineActor('actor', { work: () => {} });
    expect(() => new ActionManager(store, handled).jobs()).toThrow(InvalidOptionError);
    const mixed = [handled, { id: 'hand', actions: ['other'] }];
    expect(() => new ActionManager(store, mixed)).toThrow(InvalidOptionError);
  });
});
