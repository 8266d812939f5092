import { describe, expect, it } from 'vitest';
import {
  CycleError,
  DuplicateTaskError,
  InvalidBodyError,
  InvalidOptionError,
  InvalidTaskError,
  InvalidTokenError,
  TargetStartedError,
  type TaskInput,
  TaskNotFoundError,
  type TaskStore,
  UniqueKeyTakenError,
  UnknownTargetError,
  WaitCancelledError,
  WaitTimeoutError,
} from '../../src/index.js';
import {
  drain,
  giveBack,
  listedIds,
  milestone,
  own,
  ownOne,
  rejection,
  statuses,
  task,
} from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

const FULL: TaskInput = {
  id: 'a',
  action: 'work',
  body: { id: 'a' },
  toSignalAfter: ['b'],
  uniqueKey: 'key',
  notifyChannelAfter: 'channel',
  queue: 'shared',
};

describe('a prefix', () => {
  it('goes before ids, actions, actor ids, channels and unique keys, and before nothing else', async () => {
    const store = t.box.withPrefix('p1');
    await store.insertTasks([FULL, milestone('b')]);
    await own(store, { actorId: 'actor', queues: ['shared'] });
    expect(await t.box.getTask('p1.a')).toMatchObject({
      id: 'p1.a',
      action: 'p1.work',
      body: { id: 'a' },
      toSignalAfter: ['p1.b'],
      uniqueKey: 'p1.key',
      notifyChannelAfter: 'p1.channel',
      queue: 'shared',
      actorId: 'p1.actor',
    });
    expect(await t.box.getTask('p1.b')).toMatchObject({ action: null });
  });

  it('comes off everything that is returned', async () => {
    const store = t.box.withPrefix('p2');
    await store.insertTasks([FULL, milestone('b')]);
    const owned = await ownOne(store, {
      actorId: 'actor',
      queues: ['shared'],
      maxDurationMs: 60_000,
    });
    expect(owned).toMatchObject({ id: 'a', action: 'work' });
    const expected = { ...FULL, actorId: 'actor' };
    expect(await store.getTask('a')).toMatchObject(expected);
    expect(await store.getTasks(['b', 'a'])).toMatchObject([{ id: 'b', action: null }, expected]);
    for await (const listed of store.listTasks({ actions: ['work'] }))
      expect(listed).toMatchObject(expected);
    expect(await listedIds(store, { actions: ['work'] })).toEqual(['a']);
    expect(await store.extendTaskDeadlines([owned], 60_000)).toEqual(['a']);
    expect(await store.insertUnique({ ...FULL, uniqueKey: 'key' })).toEqual({
      inserted: false,
      id: 'a',
    });
    expect(await store.returnTasks([{ ...owned, statusCode: 'completed' }])).toEqual([
      { id: 'a', ok: true, statusCode: 'completed' },
    ]);
    expect(await store.waitFor('a')).toMatchObject({ id: 'a' });
    expect(await store.waitFor(['a', 'b'])).toMatchObject([{ id: 'a' }, { id: 'b' }]);
    const waiter = await store.newWaiter('a');
    expect(waiter.id).toBe('a');
    expect(await waiter.wait()).toMatchObject({ id: 'a' });
  });

  it('covers tasks inserted by a return, by a generator and in a transaction', async () => {
    const store = t.box.withPrefix('p3');
    await store.insertTasks([task('a')].values());
    const { token } = await ownOne(store);
    const tasks = [task('c', { toSignalAfter: ['d'] }), task('d')];
    await store.returnTask('a', token, { statusCode: 'completed', tasks });
    expect(await statuses(t.box.withPrefix('p3'))).toEqual({
      a: 'completed',
      c: 'pending',
      d: 'pending',
    });
    expect(await drain(store)).toEqual(['c', 'd']);
  });

  it('covers signals, cancels, reruns and deletes', async () => {
    const store = t.box.withPrefix('p4');
    await store.insertTasks([task('a', { totalDependencies: 1 }), task('b')]);
    expect(await t.box.signalTasks(['a'])).toBe(0);
    expect(await store.signalTasks(['a'])).toBe(1);
    expect(await store.cancelTasks(['a', 'b'])).toBe(2);
    expect(await store.rerunTasks(['b'])).toBe(1);
    expect(await t.box.deleteTasks(['b'])).toBe(0);
    expect(await store.deleteTasks(['b'])).toBe(1);
  });

  it.each([[''], ['a\u0000b']])('cannot be %j', (prefix) => {
    expect(() => t.box.withPrefix(prefix)).toThrow(InvalidOptionError);
  });
});

describe('errors in a prefix speak of the names that the caller gave', () => {
  const UNKNOWN = '00000000-0000-4000-8000-000000000000';
  const timeoutMs = 20;
  const cases: [new (...args: never[]) => Error, object, (store: TaskStore) => Promise<unknown>][] =
    [
      [DuplicateTaskError, { ids: ['a'] }, (store) => store.insertTasks([task('a')])],
      [DuplicateTaskError, { ids: ['x'] }, (store) => store.insertTasks([task('x'), task('x')])],
      [
        UnknownTargetError,
        { ids: ['ghost'] },
        (store) => store.insertTasks([task('x', { toSignalAfter: ['ghost'] })]),
      ],
      [
        TargetStartedError,
        { ids: ['a'] },
        (store) => store.insertTasks([task('x', { toSignalAfter: ['a'] })]),
      ],
      [
        CycleError,
        { ids: ['x'] },
        (store) => store.insertTasks([task('x', { toSignalAfter: ['x'] })]),
      ],
      [
        InvalidTaskError,
        { id: 'x', field: 'priority' },
        (store) => store.insertTasks([task('x', { priority: 0.5 })]),
      ],
      [InvalidTaskError, { id: '#0', field: 'id' }, (store) => store.insertTasks([task('')])],
      [
        InvalidBodyError,
        { id: 'x' },
        (store) => store.insertTasks([task('x', { body: '\u0000' })]),
      ],
      [
        UniqueKeyTakenError,
        { keys: ['key'] },
        (store) => store.insertTasks([task('x', { uniqueKey: 'key' })]),
      ],
      [
        InvalidTokenError,
        { id: 'a' },
        (store) => store.returnTask('a', UNKNOWN, { statusCode: 'completed' }),
      ],
      [InvalidTokenError, { id: 'a' }, (store) => store.extendTaskDeadline('a', UNKNOWN, 1)],
      [TaskNotFoundError, { ids: ['ghost'] }, (store) => store.newWaiter('ghost')],
      [TaskNotFoundError, { ids: ['ghost'] }, (store) => store.waitFor(['ghost', 'a'])],
      [WaitTimeoutError, { ids: ['a'] }, (store) => store.waitFor('a', { timeoutMs })],
      [
        WaitCancelledError,
        { ids: ['a'] },
        (store) => store.waitFor('a', { signal: AbortSignal.timeout(timeoutMs) }),
      ],
    ];
  it.each(cases)('%o %o', async (type, fields, call) => {
    const store = t.namespace();
    await store.insertTasks([task('a', { uniqueKey: 'key' })]);
    const error = await rejection(call(store));
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject(fields);
    expect(String(error)).not.toMatch(/\bn\d+\./);
  });

  it('in the reports of a batch, too', async () => {
    const store = t.namespace();
    const [report] = await store.returnTasks([
      { id: 'a', token: UNKNOWN, statusCode: 'completed' },
    ]);
    expect(report).toMatchObject({ id: 'a', ok: false, error: { id: 'a', code: 'INVALID_TOKEN' } });
  });
});

describe('prefixes', () => {
  it.each([
    ['two names', 'left', 'right'],
    ['one that is the start of the other', 'a', 'ab'],
    ['one that looks like a pattern', '%', '_'],
    ['one that is nested in the other', 'outer', 'outer.inner'],
  ])('keep equal ids apart: %s', async (_, first, second) => {
    const stores = [t.box.withPrefix(first), t.box.withPrefix(second)];
    for (const store of stores) {
      await store.insertTasks([
        task('a', { toSignalAfter: ['b'], uniqueKey: 'k' }),
        task('b', { action: 'finish' }),
      ]);
    }
    const [one, two] = [await ownOne(stores[0] as TaskStore), await ownOne(stores[1] as TaskStore)];
    expect(one.token).not.toBe(two.token);
    await expect(
      stores[1]?.returnTask('a', one.token, { statusCode: 'completed' }),
    ).rejects.toThrow(InvalidTokenError);
    await giveBack(stores[0] as TaskStore, [one], { statusCode: 'aborted' });
    expect(await stores[1]?.getTask('b')).toMatchObject({ numSignals: 0 });
    await giveBack(stores[1] as TaskStore, [two]);
    expect(await stores[1]?.getTask('b')).toMatchObject({ numSignals: 1, numFailures: 0 });
    expect(await stores[1]?.deleteTasks(['a', 'b'])).toBe(2);
    expect(await stores[0]?.getTask('b')).toMatchObject({ numFailures: 1 });
    t.allow({ signalsMayOutnumberSenders: true });
  });

  it('list what is theirs', async () => {
    const [a, ab] = [t.box.withPrefix('list'), t.box.withPrefix('list2')];
    await a.insertTasks([task('x')]);
    await ab.insertTasks([task('x'), task('y')]);
    expect(await statuses(a)).toEqual({ x: 'pending' });
    expect(await statuses(ab)).toEqual({ x: 'pending', y: 'pending' });
  });

  it('nest: what the outer calls b.x, the inner calls x', async () => {
    const outer = t.box.withPrefix('nest');
    const inner = outer.withPrefix('b');
    await inner.insertTasks([task('x', { toSignalAfter: ['y'] }), task('y')]);
    expect(await outer.getTask('b.x')).toMatchObject({
      id: 'b.x',
      action: 'b.work',
      toSignalAfter: ['b.y'],
    });
    expect(await t.box.getTask('nest.b.x')).toMatchObject({ toSignalAfter: ['nest.b.y'] });
    expect(await inner.getTask('x')).toMatchObject({ id: 'x', toSignalAfter: ['y'] });
    expect(await drain(inner)).toEqual(['x', 'y']);
    const error = await rejection(inner.insertTasks([task('x')]));
    expect(error).toMatchObject({ ids: ['x'] });
    expect(Object.keys(await statuses(outer))).toEqual(['b.x', 'b.y']);
  });
});
