import { describe, expect, it } from 'vitest';
import {
  CycleError,
  DuplicateTaskError,
  InvalidTaskError,
  TargetStartedError,
  type TaskInput,
  UnknownTargetError,
} from '../../src/index.js';
import { drain, own, range, rejection, sortedIds, statuses, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

async function* later(tasks: Iterable<TaskInput>): AsyncGenerator<TaskInput> {
  for (const one of tasks) {
    await Promise.resolve();
    yield one;
  }
}

describe('inserting', () => {
  it('keeps every field', async () => {
    const store = t.namespace();
    const startAfter = new Date('2031-02-03T04:05:06.789Z');
    const full: TaskInput = {
      id: 'full',
      action: 'copy-object',
      body: { a: [1, null] },
      toSignalAfter: ['next'],
      totalDependencies: 4,
      queue: 'slow',
      priority: -32_768,
      startAfter,
      maxTries: 2_147_483_647,
      retry: { delayMs: 1500, factor: 1.5, maxDelayMs: 86_400_000 },
      maxDurationMs: 0.5,
      runWhen: 'any_failed',
      uniqueKey: 'key',
      notifyChannelAfter: 'channel',
    };
    expect(await store.insertTasks([full, task('next')])).toEqual({ inserted: 2 });
    expect(await store.getTask('full')).toMatchObject({
      ...full,
      statusCode: 'pending',
      numTries: 0,
    });
    expect(await store.getTask('next')).toMatchObject({
      body: null,
      toSignalAfter: [],
      totalDependencies: 1,
      queue: 'default',
      priority: 0,
      startAfter: null,
      maxTries: null,
      retry: null,
      maxDurationMs: null,
      runWhen: 'all_done',
      uniqueKey: null,
      notifyChannelAfter: null,
    });
  });

  it.each([
    ['an array', (tasks: TaskInput[]) => tasks],
    ['a generator', (tasks: TaskInput[]) => tasks.values()],
    ['an async generator', later],
  ])('takes %s', async (_, source) => {
    const store = t.namespace();
    const tasks = range(300).map((i) => task(`t${i}`, i > 0 ? { toSignalAfter: ['t0'] } : {}));
    expect(await store.insertTasks(source(tasks))).toEqual({ inserted: 300 });
    expect(await store.getTask('t0')).toMatchObject({ totalDependencies: 299 });
    expect(await own(store)).toHaveLength(299);
  });

  it('takes none', async () => {
    expect(await t.namespace().insertTasks([])).toEqual({ inserted: 0 });
  });

  it.each([65, 500, 2000])('takes ids of %d characters (difference 9)', async (length) => {
    const store = t.namespace();
    const [first, second] = [`${'x'.repeat(length - 1)}1`, `${'x'.repeat(length - 1)}2`];
    await store.insertTasks([task(first, { toSignalAfter: [second] }), task(second)]);
    expect(await drain(store)).toEqual([first, second]);
  });

  it('takes ids of all sorts of characters, which are not SQL or patterns', async () => {
    const store = t.namespace();
    const ids = [
      `a'b"c`,
      'a\\b',
      'ü/🙂',
      'a,b{c}',
      '%_',
      ' ',
      '\n\t',
      'null',
      'NULL',
      '$1',
      'A',
      'a',
    ];
    await store.insertTasks(
      ids.map((id) => task(id, { toSignalAfter: ['end'] })).concat(task('end')),
    );
    expect(sortedIds(await own(store))).toEqual([...ids].sort());
    const found = await store.getTask(`a'b"c`);
    expect(found?.toSignalAfter).toEqual(['end']);
  });

  it('gives back edges to such ids as they were', async () => {
    const store = t.namespace();
    const ids = [`a'b"c`, 'a\\b', 'a,b{c}', '"', 'NULL', ' '];
    await store.insertTasks([task('first', { toSignalAfter: ids }), ...ids.map((id) => task(id))]);
    expect((await store.getTask('first'))?.toSignalAfter).toEqual(ids);
    await drain(store, { maxTasks: 1 });
    expect(new Set(Object.values(await statuses(store)))).toEqual(new Set(['completed']));
  });
});

describe('a batch that is refused', () => {
  it('for ids that occur twice names them', async () => {
    const store = t.namespace();
    const error = await rejection(
      store.insertTasks(['a', 'b', 'a', 'c', 'c', 'c'].map((id) => task(id))),
    );
    expect(error).toBeInstanceOf(DuplicateTaskError);
    expect(error).toMatchObject({ code: 'DUPLICATE_TASK', ids: ['a', 'c'] });
    expect(await statuses(store)).toEqual({});
  });

  it('for ids that are there already names them, and those alone', async () => {
    const store = t.namespace();
    await store.insertTasks([task('old1'), task('old2')]);
    const batch = range(500)
      .map((i) => task(`new${i}`))
      .concat(task('old2'), task('old1'));
    const error = await rejection(store.insertTasks(batch));
    expect(error).toBeInstanceOf(DuplicateTaskError);
    expect(error).toMatchObject({ ids: ['old1', 'old2'] });
    expect(Object.keys(await statuses(store))).toEqual(['old1', 'old2']);
    await expect(store.insertTasks([task('old1')])).rejects.toThrow(DuplicateTaskError);
  });

  it('for targets that do not exist names them', async () => {
    const store = t.namespace();
    const batch = [task('a', { toSignalAfter: ['b', 'ghost2', 'ghost1'] }), task('b')];
    const error = await rejection(store.insertTasks(batch));
    expect(error).toBeInstanceOf(UnknownTargetError);
    expect(error).toMatchObject({ code: 'UNKNOWN_TARGET', ids: ['ghost1', 'ghost2'] });
    expect(await statuses(store)).toEqual({});
  });

  it('for a cycle names its ids in the order of the edges', async () => {
    const store = t.namespace();
    const edges: Record<string, string[]> = { x: ['a'], a: ['b', 'y'], b: ['c'], c: ['a'], y: [] };
    const batch = Object.entries(edges).map(([id, toSignalAfter]) => task(id, { toSignalAfter }));
    const error = await rejection(store.insertTasks(batch));
    expect(error).toBeInstanceOf(CycleError);
    const ids = error instanceof CycleError ? error.ids : [];
    expect([...ids].sort()).toEqual(['a', 'b', 'c']);
    for (const [i, id] of ids.entries()) expect(edges[id]).toContain(ids[(i + 1) % ids.length]);
    expect(await statuses(store)).toEqual({});
  });

  it('for a task that signals itself names it', async () => {
    const error = await rejection(t.namespace().insertTasks([task('a', { toSignalAfter: ['a'] })]));
    expect(error).toMatchObject({ code: 'CYCLE', ids: ['a'] });
  });

  it.each<[string, Record<string, unknown>]>([
    ['id', { id: '' }],
    ['id', { id: 7 }],
    ['id', { id: 'a\u0000b' }],
    ['id', { id: 'x'.repeat(2049) }],
    ['action', { action: '' }],
    ['action', { action: undefined }],
    ['toSignalAfter', { toSignalAfter: 'b' }],
    ['toSignalAfter', { toSignalAfter: [''] }],
    ['totalDependencies', { totalDependencies: -1 }],
    ['queue', { queue: '' }],
    ['priority', { priority: 32_768 }],
    ['priority', { priority: 0.5 }],
    ['startAfter', { startAfter: new Date(Number.NaN) }],
    ['startAfter', { startAfter: '2030-01-01' }],
    ['maxTries', { maxTries: 0 }],
    ['retry', { retry: 5 }],
    ['retry.delayMs', { retry: { delayMs: -1 } }],
    ['retry.factor', { retry: { delayMs: 1, factor: 0.5 } }],
    ['retry.maxDelayMs', { retry: { delayMs: 1, maxDelayMs: Number.NaN } }],
    ['maxDurationMs', { maxDurationMs: 0 }],
    ['runWhen', { runWhen: 'sometimes' }],
    ['uniqueKey', { uniqueKey: '' }],
    ['notifyChannelAfter', { notifyChannelAfter: 'c'.repeat(64) }],
    ['dependsOn', { dependsOn: ['b'] }],
  ])('for its field %s leaves nothing: %j', async (field, wrong) => {
    const store = t.namespace();
    const bad = { ...task('bad'), ...wrong } as TaskInput;
    const error = await rejection(store.insertTasks([task('good'), bad]));
    expect(error).toBeInstanceOf(InvalidTaskError);
    expect(error).toMatchObject({ code: 'INVALID_TASK', id: field === 'id' ? '#1' : 'bad', field });
    expect(await statuses(store)).toEqual({});
  });

  it('because its source throws in the middle leaves nothing, and throws what that threw', async () => {
    const store = t.namespace();
    const broken = new Error('the source broke');
    function* source() {
      for (const i of range(5000)) yield task(`t${i}`);
      throw broken;
    }
    expect(await rejection(store.insertTasks(source()))).toBe(broken);
    expect(await rejection(store.insertTasks(later(source())))).toBe(broken);
    expect(await statuses(store)).toEqual({});
    expect(await store.insertTasks(range(5000).map((i) => task(`t${i}`)))).toEqual({
      inserted: 5000,
    });
  });
});

describe('edges to tasks inserted earlier', () => {
  it('raise their totals, each batch again', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('a', { toSignalAfter: ['end'] }),
      task('end', { action: 'finish' }),
    ]);
    await store.insertTasks(range(3).map((i) => task(`b${i}`, { toSignalAfter: ['end'] })));
    await store.insertTasks([task('c', { toSignalAfter: ['end', 'end'] })]);
    expect(await store.getTask('end')).toMatchObject({ totalDependencies: 5 });
    await drain(store);
    expect(await store.getTask('end')).toMatchObject({ numSignals: 5 });
    expect(await drain(store, { actions: ['finish'] })).toEqual(['end']);
  });

  it('leave a total that was given as it is', async () => {
    const store = t.namespace();
    await store.insertTasks([task('end', { action: 'finish', totalDependencies: 2 })]);
    await store.insertTasks(range(2).map((i) => task(`b${i}`, { toSignalAfter: ['end'] })));
    expect(await store.getTask('end')).toMatchObject({ totalDependencies: 2 });
    await drain(store);
    expect(await drain(store, { actions: ['finish'] })).toEqual(['end']);
  });

  it.each<[string, (store: ReturnType<typeof t.namespace>) => Promise<unknown>]>([
    ['ready', async () => {}],
    ['in progress', (store) => own(store)],
    ['completed', (store) => drain(store)],
    ['cancelled', (store) => store.cancelTasks(['end'])],
  ])('are refused when those are %s', async (_, make) => {
    const store = t.namespace();
    await store.insertTasks([task('end')]);
    await make(store);
    const before = await statuses(store);
    const batch = [task('x', { toSignalAfter: ['end', 'y'] }), task('y')];
    const error = await rejection(store.insertTasks(batch));
    expect(error).toBeInstanceOf(TargetStartedError);
    expect(error).toMatchObject({ code: 'TARGET_STARTED', ids: ['end'] });
    expect(await statuses(store)).toEqual(before);
  });
});
