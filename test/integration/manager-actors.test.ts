import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  ActionKnownError,
  ActionManager,
  defineActor,
  InvalidOptionError,
  type OwnedTask,
} from '../../src/index.js';
import { alteredStore, gate } from '../support/altered-store.js';
import { eventually, range, statuses, task } from '../support/factories.js';
import { startManager as start } from '../support/start-manager.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

describe('a manager with several actors', () => {
  it('performs the tasks of all of them, each owned in its name, by one set of workers', async () => {
    const store = t.namespace();
    const actions = ['copy', 'delete', 'report'];
    const ids = range(30).map((i) => `t${i}`);
    await store.insertTasks(ids.map((id, i) => task(id, { action: actions[i % 3] ?? '' })));
    let running = 0;
    let most = 0;
    const actors = actions.map((action) =>
      defineActor(`${action}-actor`, {
        [action]: async () => {
          most = Math.max(most, ++running);
          await new Promise(setImmediate);
          running--;
        },
      }),
    );
    await start(store, actors, { workers: 4 });
    await store.waitFor(ids);
    expect(most).toBeLessThanOrEqual(4);
    for (const { action, actorId } of await store.getTasks(ids)) {
      expect(actorId).toBe(`${action}-actor`);
    }
  });

  it('leaves each its turn: endless work of one does not keep the other from working', async () => {
    const store = t.namespace();
    await store.insertTasks(range(20).map((i) => task(`busy${i}`, { action: 'busy' })));
    let isOver = false;
    const busy = defineActor('busy', {
      busy: async ({ id }) => {
        await new Promise(setImmediate);
        if (!isOver) await store.insertTasks([task(`${id}+`, { action: 'busy' })]);
      },
    });
    await start(store, [busy, defineActor('other', { other: () => {} })], { workers: 2 });
    await eventually(async () => expect((await store.getTask('busy3+'))?.id).toBe('busy3+'));
    await store.insertTasks([task('other', { action: 'other' })]);
    expect(await store.waitFor('other', { timeoutMs: 20_000 })).toMatchObject({
      statusCode: 'completed',
    });
    isOver = true;
  });

  it('refuses two that perform the same action, at the start and later', async () => {
    const store = t.namespace();
    const [one, two] = [defineActor('one', { a: () => {} }), defineActor('two', { b: () => {} })];
    expect(() => new ActionManager(store, [one, defineActor('x', { a: () => {} })])).toThrow(
      ActionKnownError,
    );
    await start(store, [one, two]);
    expect(() => two.learn('a', () => {})).toThrow(ActionKnownError);
    expect(two.actions).toEqual(['b']);
  });

  it('needs one at least', () => {
    expect(() => new ActionManager(t.namespace(), [])).toThrow(InvalidOptionError);
  });
});

describe('an action that is learned', () => {
  it('is performed at once, also by an actor that knew none', async () => {
    const store = t.namespace();
    const actor = defineActor('actor', {});
    await store.insertTasks([task('a'), task('b', { action: 'late' })]);
    await start(store, actor, { waitTimeMs: 15_000 });
    actor.learn('work', () => 'learned');
    expect(await store.waitFor('a', { timeoutMs: 10_000 })).toMatchObject({ result: 'learned' });
    // It is asleep for the first by now.
    actor.learn('late', () => 'learned');
    expect(await store.waitFor('b', { timeoutMs: 10_000 })).toMatchObject({ result: 'learned' });
  });

  it('before the manager starts counts as if it had been known', async () => {
    const store = t.namespace();
    const actor = defineActor('actor', {});
    const manager = new ActionManager(store, actor, { workers: 4 });
    onTestFinished(() => manager.stop({ timeoutMs: 0 }));
    let running = 0;
    let most = 0;
    const handle = async () => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
    };
    actor.learn('work', { concurrency: 1, handle });
    await store.insertTasks(range(8).map((i) => task(`t${i}`)));
    await manager.start();
    await store.waitFor(range(8).map((i) => `t${i}`));
    expect(most).toBe(1);
  });

  it('in place of another: tasks that begin from then on', async () => {
    const store = t.namespace();
    const actor = defineActor('actor', { work: () => 1 });
    await start(store, actor);
    await store.insertTasks([task('a')]);
    await store.waitFor('a');
    actor.learn('work', () => 2, { override: true });
    await store.insertTasks([task('b')]);
    expect(await store.waitFor('b')).toMatchObject({ result: 2 });
  });
});

describe('an action that is forgotten', () => {
  it('runs to its end where it has begun; what has not is handed back, no try used up', async () => {
    const store = t.namespace();
    await store.insertTasks(range(10).map((i) => task(`t${i}`, { maxTries: 1 })));
    const { opened, open } = gate();
    const begun: string[] = [];
    const actor = defineActor('actor', {
      warm: () => {},
      work: async ({ id }) => {
        begun.push(id);
        await opened;
      },
    });
    // Owned ahead although they take long: an actor cannot know.
    const eager = alteredStore(store, {
      ownTasks: (request) => store.ownTasks({ ...request, maxTasks: 10 }),
    });
    const manager = await start(eager, actor, { workers: 2 });
    await eventually(() => expect(begun).toHaveLength(2));
    expect(manager.stats()).toMatchObject({ waiting: 8, performing: 2, held: 10 });
    actor.forget('work');
    await eventually(async () => {
      const codes = Object.values(await statuses(store));
      expect(codes.filter((code) => code === 'pending')).toHaveLength(8);
    });
    open();
    await store.waitFor(begun);
    for await (const { id, statusCode, numTries } of store.listTasks()) {
      const isBegun = begun.includes(id);
      expect([statusCode, numTries]).toEqual(isBegun ? ['completed', 1] : ['pending', 0]);
    }
    // The others of the actor go on.
    await store.insertTasks([task('warm', { action: 'warm' })]);
    expect(await store.waitFor('warm')).toMatchObject({ statusCode: 'completed' });
  });
});

describe('a task whose action the actor does not know', () => {
  it('is handed back for later, with a clear error and an event; others are performed', async () => {
    const store = t.namespace();
    await store.insertTasks([task('strange', { action: 'strange', maxTries: 1 }), task('known')]);
    const odd = alteredStore(store, {
      ownTasks: (request) => store.ownTasks({ ...request, actions: ['work', 'strange'] }),
    });
    const error = vi.fn();
    const logger = { debug: () => {}, info: () => {}, warn: () => {}, error };
    const onReturned = vi.fn();
    const actor = defineActor('actor', { work: () => {} });
    const manager = new ActionManager(odd, actor, { logger, onReturned });
    const unknown: OwnedTask[] = [];
    manager.on('unknownAction', (notice) => unknown.push(notice.task));
    await manager.start();
    await store.waitFor('known');
    await eventually(async () => {
      expect(await store.getTask('strange')).toMatchObject({
        statusCode: 'pending',
        numTries: 0,
        status: expect.stringMatching(/"strange" is not known/),
      });
    });
    await manager.stop();
    expect(unknown.map(({ id }) => id)).toEqual(['strange']);
    expect(error).toHaveBeenCalledWith(
      expect.objectContaining({ id: 'strange', err: expect.anything() }),
      'an unknown action was handed back',
    );
    expect(onReturned).toHaveBeenCalledOnce();
    // Not at once: it would be owned again and again.
    expect(await odd.ownTasks({ actorId: 'me', actions: [], maxTasks: 5 })).toEqual([]);
  });
});

describe('two managers with one actor id', () => {
  it('work side by side, each task done once', async () => {
    const ids = range(200).map((i) => `t${i}`);
    const store = t.box.withPrefix('same');
    await store.insertTasks(ids.map((id) => task(id)));
    const done: string[] = [];
    for (const box of [await t.another(), await t.another()]) {
      await start(box.withPrefix('same'), async ({ id }) => {
        done.push(id);
        await new Promise(setImmediate);
      });
    }
    await store.waitFor(ids);
    expect(done.sort()).toEqual([...ids].sort());
  });
});

describe('a limited action', () => {
  it('is not owned ahead of what its limit lets begin: others perform the rest', async () => {
    const store = t.namespace();
    await store.insertTasks(range(12).map((i) => task(`t${i}`)));
    const { opened, open } = gate();
    const limited = (id: string) =>
      defineActor(id, { work: { concurrency: 2, handle: () => opened } });
    const managers = [
      await start(store, limited('one'), { workers: 4 }),
      await start(store, limited('two'), { workers: 4 }),
    ];
    await eventually(() => {
      for (const manager of managers) expect(manager.stats().performing).toBe(2);
    });
    for (const manager of managers) expect(manager.stats().held).toBeLessThanOrEqual(4);
    open();
    await store.waitFor(range(12).map((i) => `t${i}`));
  });
});
