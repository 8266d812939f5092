import { describe, expect, it, vi } from 'vitest';
import {
  ActionManager,
  DeadlinePassedError,
  deadline,
  defineActor,
  type ManagerEvents,
  observeTasks,
  type ReturnedHook,
  type TaskObservation,
} from '../../src/index.js';
import { alteredStore, gate } from '../support/altered-store.js';
import { eventually, range, task } from '../support/factories.js';
import { startManager as start } from '../support/start-manager.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

describe('middleware of a manager', () => {
  it('stands around the handlers of all its actors, in the order of use', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a'), task('b', { action: 'other' })]);
    const seen: string[] = [];
    const actors = [
      defineActor('one', { work: ({ id }) => void seen.push(`handler ${id}`) }),
      defineActor('two', { other: ({ id }) => void seen.push(`handler ${id}`) }),
    ];
    const manager = new ActionManager(store, actors, { workers: 1 });
    for (const name of ['outer', 'inner']) {
      manager.use(async ({ id }, _, next) => {
        seen.push(`${name} ${id}`);
        return next();
      });
    }
    await manager.start();
    await store.waitFor(['a', 'b']);
    await manager.stop();
    for (const id of ['a', 'b']) {
      const own = seen.filter((line) => line.endsWith(id));
      expect(own).toEqual([`outer ${id}`, `inner ${id}`, `handler ${id}`]);
    }
  });

  it('may stop a task: its own result, or error, becomes that of the task', async () => {
    const store = t.namespace();
    await store.insertTasks([task('cached'), task('refused', { maxTries: 1 }), task('fine')]);
    const handle = vi.fn();
    const manager = await start(store, handle, { waitTimeMs: 10 });
    manager.use(async ({ id }, _, next) => {
      if (id === 'cached') return { statusCode: 'completed', result: 'from the cache' };
      if (id === 'refused') throw new Error('not today');
      return next();
    });
    const [cached, refused] = await store.waitFor(['cached', 'refused', 'fine']);
    expect(cached).toMatchObject({ statusCode: 'completed', result: 'from the cache' });
    expect(refused).toMatchObject({ statusCode: 'aborted', status: 'not today' });
    expect(handle).toHaveBeenCalledOnce();
  });

  it('deadline: a task that begins too late is aborted unperformed, others are performed', async () => {
    const store = t.namespace();
    const body = (at: number) => ({ by: new Date(at).toISOString() });
    await store.insertTasks([
      task('late', { body: body(Date.now() - 60_000), maxTries: 9 }),
      task('in time', { body: body(Date.now() + 60_000) }),
      task('whenever', { body: {} }),
    ]);
    const performed: string[] = [];
    const errors: unknown[] = [];
    const actor = defineActor('actor', { work: ({ id }) => void performed.push(id) });
    const manager = new ActionManager(store, actor, {
      onReturned: (_, __, error) => void (error && errors.push(error)),
    });
    manager.use(
      deadline({
        by: ({ body }) => {
          const by: unknown = Object(body).by;
          return typeof by === 'string' ? new Date(by) : null;
        },
      }),
    );
    await manager.start();
    const [late] = await store.waitFor(['late', 'in time', 'whenever']);
    expect(late).toMatchObject({
      statusCode: 'aborted',
      status: expect.stringMatching(/begin by/),
    });
    expect(performed.sort()).toEqual(['in time', 'whenever']);
    await manager.stop();
    expect(errors).toEqual([expect.any(DeadlinePassedError)]);
  });

  it('observeTasks sees what each handler made of its task', async () => {
    const store = t.namespace();
    await store.insertTasks([task('good'), task('bad', { maxTries: 1 })]);
    const seen: TaskObservation[] = [];
    const manager = await start(
      store,
      ({ id }) => {
        if (id === 'bad') throw new Error('no');
        return 1;
      },
      {},
    );
    manager.use(observeTasks((one) => seen.push(one)));
    await store.waitFor(['good', 'bad']);
    const byId = new Map(seen.map((one) => [one.task.id, one]));
    expect(byId.get('good')).toMatchObject({ result: { statusCode: 'completed', result: 1 } });
    expect(byId.get('bad')).toMatchObject({ error: expect.any(Error) });
  });
});

describe('onReturned', () => {
  it('is called once the return is committed, by manager and action, with what was thrown', async () => {
    const store = t.namespace();
    await store.insertTasks([task('good'), task('bad', { maxTries: 1 })]);
    const calls: unknown[] = [];
    const hook =
      (name: string): ReturnedHook =>
      async ({ id }, { statusCode, result }, error) => {
        const committed = (await store.getTask(id))?.statusCode;
        calls.push([name, id, statusCode, committed, result, error]);
      };
    const boom = new Error('boom');
    const handle = ({ id }: { id: string }) => {
      if (id === 'bad') throw boom;
      return 7;
    };
    const actor = defineActor('actor', { work: { handle, onReturned: hook('action') } });
    const manager = await start(store, actor, { onReturned: hook('manager') });
    await store.waitFor(['good', 'bad']);
    // Waits for hooks.
    await manager.stop();
    for (const name of ['action', 'manager']) {
      expect(calls).toContainEqual([name, 'good', 'completed', 'completed', 7, undefined]);
      expect(calls).toContainEqual([name, 'bad', 'aborted', 'aborted', undefined, boom]);
    }
    expect(calls).toHaveLength(4);
  });

  it('that throws, or rejects, is logged and harms nothing', async () => {
    const store = t.namespace();
    await store.insertTasks(range(10).map((i) => task(`t${i}`)));
    const error = vi.fn();
    const logger = { debug: () => {}, info: () => {}, warn: () => {}, error };
    const manager = await start(store, () => {}, {
      logger,
      onReturned: ({ id }) => {
        if (id < 't5') throw new Error('thrown');
        return Promise.reject(new Error('rejected'));
      },
    });
    await store.waitFor(range(10).map((i) => `t${i}`));
    await manager.stop();
    expect(error).toHaveBeenCalledTimes(10);
    expect(error).toHaveBeenCalledWith(
      expect.objectContaining({ id: 't0' }),
      'an onReturned hook failed',
    );
  });

  it('is not called for tasks that were lost, or handed back', async () => {
    const store = t.namespace();
    await store.insertTasks([task('cancelled'), task('stopped')]);
    const onReturned = vi.fn();
    let numBegun = 0;
    const manager = await start(
      store,
      (_, { heartbeat }) => {
        numBegun++;
        return heartbeat().then(() => new Promise(() => {}));
      },
      { onReturned, maxDurationMs: 1_500 },
    );
    const lost = new Promise((resolve) => manager.once('lost', resolve));
    await eventually(() => expect(numBegun).toBe(2));
    await store.cancelTasks(['cancelled']);
    await lost;
    await manager.stop({ timeoutMs: 0 });
    expect(await store.getTask('stopped')).toMatchObject({ statusCode: 'pending', numTries: 0 });
    expect(onReturned).not.toHaveBeenCalled();
  });

  it('is called for a task whose return failed at first, once', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    let numCalls = 0;
    const failing = alteredStore(store, {
      returnTasks: (returns) =>
        numCalls++ === 0
          ? Promise.reject(new Error('connection lost'))
          : store.returnTasks(returns),
    });
    const onReturned = vi.fn();
    const manager = await start(failing, () => {}, { onReturned });
    await store.waitFor('a');
    await manager.stop();
    expect(onReturned).toHaveBeenCalledOnce();
  });
});

describe('events', () => {
  it('tell of each task on its way, and of batches', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a'), task('b', { maxTries: 2, retry: { delayMs: 1 } })]);
    const actor = defineActor('actor', {
      work: ({ id, numTries }) => {
        if (id === 'b' && numTries === 1) throw new Error('flaky');
      },
    });
    const manager = new ActionManager(store, actor);
    const seen: { [E in keyof ManagerEvents]?: unknown[] } = {};
    for (const event of ['owned', 'started', 'returned', 'retried', 'batch'] as const) {
      manager.on(event, (notice: unknown) => {
        seen[event] = [...(seen[event] ?? []), notice];
      });
    }
    await manager.start();
    await store.waitFor(['a', 'b']);
    await manager.stop();
    expect(seen.owned?.[0]).toMatchObject({ actorId: 'actor', count: 2, asked: 5 });
    expect(seen.started).toHaveLength(3);
    expect(seen.started?.[0]).toMatchObject({
      task: { action: 'work' },
      waitedMs: expect.any(Number),
    });
    expect(seen.returned).toHaveLength(3);
    expect(seen.returned).toContainEqual({
      task: expect.objectContaining({ id: 'a' }),
      outcome: expect.objectContaining({ statusCode: 'completed' }),
      durationMs: expect.any(Number),
    });
    expect(seen.retried).toEqual([
      {
        task: expect.objectContaining({ id: 'b' }),
        delayMs: expect.any(Number),
        error: expect.any(Error),
      },
    ]);
    expect(seen.batch?.[0]).toMatchObject({ size: expect.any(Number) });
    expect(manager.stats()).toMatchObject({ held: 0, owned: 3, returned: 3, lost: 0 });
  });

  it('whose listeners throw harm nothing; errors that nobody listens for neither', async () => {
    const store = t.namespace();
    await store.insertTasks(range(5).map((i) => task(`t${i}`)));
    let isFirst = true;
    const failing = alteredStore(store, {
      ownTasks: (request) => {
        if (!isFirst) return store.ownTasks(request);
        isFirst = false;
        return Promise.reject(new Error('too many clients'));
      },
    });
    const manager = await start(failing, () => {}, { errWaitTimeMs: 10 });
    for (const event of ['owned', 'started', 'returned', 'batch'] as const) {
      manager.on(event, () => {
        throw new Error('a bad listener');
      });
    }
    await store.waitFor(range(5).map((i) => `t${i}`));
    await manager.stop();
    expect(manager.stats().returned).toBe(5);
  });
});

describe('a manager', () => {
  it('is known to be there while it works, with what its actor has learned', async () => {
    const store = t.namespace();
    const actor = defineActor('known', { work: () => {} });
    const manager = await start(store, actor, { queues: ['mine'] });
    const workers = async () =>
      (await store.listWorkers()).map(({ actorId, queues, actions }) => ({
        actorId,
        queues,
        actions,
      }));
    const there = { actorId: 'known', queues: ['mine'] };
    await eventually(async () =>
      expect(await workers()).toEqual([{ ...there, actions: ['work'] }]),
    );
    actor.learn('more', () => {});
    await eventually(async () => {
      expect(await workers()).toEqual([{ ...there, actions: ['work', 'more'] }]);
    });
    await manager.stop();
    expect(await workers()).toEqual([]);
  });

  it('works on where its announcements fail, and does not wait for them to stop', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const hung = gate();
    const deaf = alteredStore(store, {
      announceWorker: () => Promise.reject(new Error('not there')),
      retireWorker: () => hung.opened,
    });
    const manager = await start(deaf, () => {});
    await store.waitFor('a');
    await manager.stop();
  });
});
