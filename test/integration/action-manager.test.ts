import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import {
  ActionManager,
  type Actor,
  type ActorResult,
  defineActor,
  InvalidBodyError,
  InvalidOptionError,
  type Json,
  ManagerStoppedError,
  PermanentError,
  SnoozeError,
} from '../../src/index.js';
import { gate } from '../support/altered-store.js';
import { eventually, range, rejection, statuses, task } from '../support/factories.js';
import { startManager as start } from '../support/start-manager.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

describe('handlers', () => {
  it('run at most `workers` at once, and as many as that', async () => {
    const store = t.namespace();
    await store.insertTasks(range(200).map((i) => task(`t${i}`)));
    let running = 0;
    let most = 0;
    await start(
      store,
      async () => {
        most = Math.max(most, ++running);
        await turn();
        running--;
      },
      { workers: 7, maxTasks: 50 },
    );
    await store.waitFor(range(200).map((i) => `t${i}`));
    expect(most).toBe(7);
  });

  it('get the task, and what they return becomes its result', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { body: { n: 20 } }), task('none')]);
    await start(store, ({ id, body, numTries, action }) =>
      id === 'none' ? undefined : { twice: 2 * Number(Object(body).n), numTries, action },
    );
    expect(await store.waitFor(['a', 'none'])).toEqual([
      {
        id: 'a',
        statusCode: 'completed',
        status: null,
        result: { twice: 40, numTries: 1, action: 'work' },
      },
      { id: 'none', statusCode: 'completed', status: null, result: null },
    ]);
  });

  it.each<[string, () => unknown, string, number, RegExp]>([
    ['an Error', () => new Error('disk full'), 'aborted', 3, /^disk full$/],
    ['a string', () => 'no Error', 'aborted', 3, /no Error/],
    ['undefined', () => undefined, 'aborted', 3, /undefined/],
    ['an object without a prototype', () => Object.create(null), 'aborted', 3, /threw/],
    ['an Error whose message cannot be stored', () => new Error('a\u0000b'), 'aborted', 3, /^a.b$/],
    ['an Error without a message', () => new Error(), 'aborted', 3, /^$/],
    ['a PermanentError', () => new PermanentError('never'), 'aborted', 1, /^never$/],
  ])('that throw %s fail the try', async (_, thrown, statusCode, numTries, status) => {
    const store = t.namespace();
    await store.insertTasks([task('a', { maxTries: 3 }), task('b', { maxTries: 3 })]);
    await start(store, ({ id }) => {
      if (id === 'a') throw thrown();
      return Promise.reject(thrown());
    });
    await store.waitFor(['a', 'b'], { timeoutMs: 10_000 });
    for (const found of await store.getTasks(['a', 'b'])) {
      expect(found).toMatchObject({ statusCode, numTries });
      expect(found.status).toMatch(status);
    }
  });

  it('that throw a SnoozeError come back then, without using up a try', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { maxTries: 1 })]);
    const seen: number[] = [];
    await start(store, ({ numTries }) => {
      seen.push(numTries);
      if (seen.length < 3) throw new SnoozeError(new Date(Date.now() + 20));
      return seen.length;
    });
    expect(await store.waitFor('a')).toMatchObject({ statusCode: 'completed', result: 3 });
    expect(seen).toEqual([1, 1, 1]);
  });

  it('that never settle are given up after timeoutMs: signal, try and slot', async () => {
    const store = t.namespace();
    await store.insertTasks([task('stuck', { maxTries: 2 }), task('next')]);
    const reasons: unknown[] = [];
    const actor = defineActor('actor', {
      work: {
        timeoutMs: 40,
        handle: ({ id }, { signal }) => {
          if (id === 'next') return;
          signal.addEventListener('abort', () => reasons.push(signal.reason));
          return new Promise(() => {});
        },
      },
    });
    await start(store, actor, { workers: 1 });
    const [stuck, next] = await store.waitFor(['stuck', 'next']);
    expect(next?.statusCode).toBe('completed');
    expect(stuck).toMatchObject({ statusCode: 'aborted', status: expect.stringMatching(/40 ms/) });
    expect(await store.getTask('stuck')).toMatchObject({ numTries: 2 });
    expect(reasons).toHaveLength(2);
    expect(reasons[0]).toMatchObject({ code: 'HANDLER_TIMEOUT' });
  });

  it.each<[string, () => unknown]>([
    [
      'a circle',
      () =>
        Object.assign(Object.create({}), {
          get self() {
            return this;
          },
        }),
    ],
    ['a BigInt', () => 1n],
    ['a function', () => () => {}],
    ['\\u0000', () => 'a\u0000b'],
  ])('whose result is no JSON (%s) abort the task, and not the manager', async (_, result) => {
    const store = t.namespace();
    await store.insertTasks([task('bad', { maxTries: 5 }), task('good')]);
    await start(store, ({ id }) => (id === 'bad' ? (result() as Json) : 1), { workers: 1 });
    const [bad, good] = await store.waitFor(['bad', 'good'], { timeoutMs: 10_000 });
    expect(good).toMatchObject({ statusCode: 'completed', result: 1 });
    expect(bad).toMatchObject({ statusCode: 'aborted', result: null });
    expect(await store.getTask('bad')).toMatchObject({ numTries: 1 });
  });
});

describe('an actor', () => {
  it('may insert tasks in the transaction of the return', async () => {
    const store = t.namespace();
    await store.insertTasks([task('parent')]);
    const actor: Actor = {
      id: 'actor',
      actions: ['work'],
      handle: async ({ id }) => ({
        statusCode: 'completed',
        ...(id === 'parent' ? { tasks: range(3).map((i) => task(`child${i}`)) } : {}),
      }),
    };
    await start(store, actor);
    await store.waitFor('parent');
    await store.waitFor(['child0', 'child1', 'child2']);
  });

  it.each<[string, object, RegExp]>([
    [
      'tasks that cannot be inserted',
      { statusCode: 'completed', tasks: [task('taken')] },
      /"taken"/,
    ],
    ['an unknown status code', { statusCode: 'done' }, /"done"/],
    ['no status code', {}, /undefined is not text/],
    ['an invalid date', { statusCode: 'pending', startAfter: new Date(Number.NaN) }, /startAfter/],
  ])(
    'that returns %s fails the try, which is not held until its lease lapses',
    async (_, result, status) => {
      const store = t.namespace();
      await store.insertTasks([task('bad', { maxTries: 2 }), task('taken', { action: 'other' })]);
      const handle = async () => result as ActorResult;
      await start(store, { id: 'actor', actions: ['work'], handle });
      const outcome = await store.waitFor('bad', { timeoutMs: 10_000 });
      expect(outcome).toMatchObject({
        statusCode: 'aborted',
        status: expect.stringMatching(status),
      });
      expect(await store.getTask('bad')).toMatchObject({ numTries: 2 });
    },
  );

  it('refuses bodies that do not fit its schema: at insert, and before handling', async () => {
    const store = t.namespace();
    const schema = { type: 'object', required: ['url'] };
    const handle = vi.fn();
    const wrong = [task('wrong', { body: {} })];
    // Another process, which knows no schema, inserted it.
    await store.insertTasks(wrong);
    await start(store, defineActor('actor', { work: { schema, handle } }));
    expect(await store.waitFor('wrong')).toMatchObject({
      statusCode: 'aborted',
      status: expect.stringMatching(/url/),
    });
    expect(handle).not.toHaveBeenCalled();
    const error = await rejection(store.insertTasks([task('wrong2', { body: {} })]));
    expect(error).toBeInstanceOf(InvalidBodyError);
  });

  it('performs an action with limited concurrency beside others', async () => {
    const store = t.namespace();
    await store.insertTasks([
      ...range(20).map((i) => task(`slow${i}`, { action: 'slow', priority: 1 })),
      ...range(20).map((i) => task(`fast${i}`, { action: 'fast' })),
    ]);
    const { opened, open } = gate();
    let slow = 0;
    let mostSlow = 0;
    const actor = defineActor('actor', {
      slow: {
        concurrency: 2,
        handle: async () => {
          mostSlow = Math.max(mostSlow, ++slow);
          await opened;
          slow--;
        },
      },
      fast: () => {},
    });
    await start(store, actor, { workers: 4 });
    await store.waitFor(range(20).map((i) => `fast${i}`));
    open();
    await store.waitFor(range(20).map((i) => `slow${i}`));
    expect(mostSlow).toBe(2);
  });

  it('counts a try only of those that begin, of an action with limited concurrency', async () => {
    const store = t.namespace();
    const ids = range(6).map((i) => `t${i}`);
    await store.insertTasks(ids.map((id) => task(id)));
    const { opened, open } = gate();
    const actor = defineActor('actor', { work: { concurrency: 2, handle: () => opened } });
    const manager = await start(store, actor, { workers: 6 });
    await eventually(() => expect(manager.stats()).toMatchObject({ performing: 2, waiting: 4 }));
    const standings = await Promise.all(ids.map((id) => store.why(id)));
    const reasons = standings.flatMap((standing) => standing.reasons);
    expect(reasons.filter((one) => one.kind === 'owned' && one.isBegun)).toHaveLength(2);
    open();
    await store.waitFor(ids);
    for (const { numTries } of await store.getTasks(ids)) expect(numTries).toBe(1);
  });
});

describe('the lifecycle of a manager', () => {
  it('is safe to start twice and to stop twice, or before it started', async () => {
    const store = t.namespace();
    const manager = await start(store, () => {});
    await manager.start();
    await Promise.all([manager.stop(), manager.stop()]);
    await manager.stop();
    expect(await rejection(manager.start())).toBeInstanceOf(ManagerStoppedError);
    const unused = new ActionManager(store, defineActor('actor', { work: () => {} }));
    await unused.stop();
    expect(await rejection(unused.start())).toBeInstanceOf(ManagerStoppedError);
  });

  it.each([
    ['workers', { workers: 0 }],
    ['maxTasks', { maxTasks: 1.5 }],
    ['maxDurationMs', { maxDurationMs: Number.NaN }],
    ['maxDurationMs', { maxDurationMs: 1_999, heartbeatMs: 1_000 }],
    ['heartbeatMs', { maxDurationMs: 1_999, heartbeatMs: 1_000 }],
    ['queues', { queues: [] }],
  ])('refuses %s out of range', (option, options) => {
    const make = () =>
      new ActionManager(t.namespace(), defineActor('a', { work: () => {} }), options);
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(option);
  });

  it('stop finishes what runs and hands back what has not begun, no try used up', async () => {
    const store = t.namespace();
    await store.insertTasks(range(30).map((i) => task(`t${i}`, { maxTries: 1 })));
    const { opened, open } = gate();
    const begun: string[] = [];
    const manager = await start(
      store,
      async ({ id }) => {
        begun.push(id);
        await opened;
      },
      { workers: 3 },
    );
    await eventually(() => expect(begun).toHaveLength(3));
    const stopped = manager.stop();
    // Handed back although the workers are busy.
    await eventually(async () => {
      const pending = Object.values(await statuses(store)).filter((code) => code === 'pending');
      expect(pending).toHaveLength(27);
    });
    open();
    await stopped;
    for await (const found of store.listTasks()) {
      const isBegun = begun.includes(found.id);
      expect(found).toMatchObject({
        statusCode: isBegun ? 'completed' : 'pending',
        numTries: isBegun ? 1 : 0,
      });
    }
    expect(begun).toHaveLength(3);
  });

  it('stop with timeoutMs fires the signals, and hands back what does not settle', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { maxTries: 1 })]);
    const signals: AbortSignal[] = [];
    const manager = await start(store, (_, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    });
    await eventually(() => expect(signals).toHaveLength(1));
    await manager.stop({ timeoutMs: 20 });
    expect(signals[0]?.reason).toBeInstanceOf(ManagerStoppedError);
    expect(await store.getTask('a')).toMatchObject({ statusCode: 'pending', numTries: 0 });
  });
});
