import { describe, expect, it } from 'vitest';
import {
  DuplicateTaskError,
  InvalidBodyError,
  InvalidOptionError,
  InvalidTaskError,
  UniqueKeyTakenError,
} from '../../src/index.js';
import {
  drain,
  giveBack,
  own,
  ownOne,
  range,
  rejection,
  statuses,
  task,
} from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const keyed = (id: string, uniqueKey = 'k') => ({ ...task(id), uniqueKey });

describe('insertUnique', () => {
  it('raced by 32 concurrent calls inserts one, and all learn which', async () => {
    const store = t.namespace();
    const all = await Promise.all(range(32).map((i) => store.insertUnique(keyed(`t${i}`))));
    const [winner, ...others] = all.filter(({ inserted }) => inserted);
    expect(others).toEqual([]);
    expect(new Set(all.map(({ id }) => id))).toEqual(new Set([winner?.id]));
    expect(Object.keys(await statuses(store))).toEqual([winner?.id]);
  });

  it('does nothing while the holder is pending, owned or waits, and inserts once it has ended', async () => {
    const store = t.namespace();
    expect(await store.insertUnique(keyed('a'))).toEqual({ inserted: true, id: 'a' });
    expect(await store.insertUnique(keyed('b'))).toEqual({ inserted: false, id: 'a' });
    const owned = await ownOne(store);
    expect(await store.insertUnique(keyed('b'))).toEqual({ inserted: false, id: 'a' });
    await giveBack(store, [owned], { statusCode: 'pending' });
    expect(await store.insertUnique(keyed('b'))).toEqual({ inserted: false, id: 'a' });
    await drain(store);
    expect(await store.insertUnique(keyed('b'))).toEqual({ inserted: true, id: 'b' });
  });

  it.each<[string, (store: ReturnType<typeof t.namespace>) => Promise<unknown>]>([
    ['completed', (store) => drain(store)],
    ['aborted', (store) => drain(store, {}, { statusCode: 'aborted' })],
    ['cancelled', (store) => store.cancelTasks(['a'])],
    ['deleted', (store) => store.deleteTasks(['a'])],
    [
      'lapsed on its last try',
      async (store) => {
        await own(store, { maxDurationMs: 1 });
        await t.pool.query(`select run_timers(now() + interval '1 hour')`);
      },
    ],
  ])('inserts again when the holder was %s', async (_, end) => {
    const store = t.namespace();
    await store.insertUnique({ ...keyed('a'), maxTries: 1 });
    await end(store);
    expect(await store.insertUnique(keyed('b'))).toEqual({ inserted: true, id: 'b' });
  });

  it('inserts again when the holder was skipped', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('dep', { toSignalAfter: ['a'] }),
      { ...keyed('a'), runWhen: 'any_failed' },
    ]);
    expect(await store.insertUnique(keyed('b'))).toEqual({ inserted: false, id: 'a' });
    await drain(store);
    expect(await store.insertUnique(keyed('b'))).toEqual({ inserted: true, id: 'b' });
  });

  it('says that the id exists, whatever the key', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const error = await rejection(store.insertUnique(keyed('a')));
    expect(error).toBeInstanceOf(DuplicateTaskError);
    expect(error).toMatchObject({ ids: ['a'] });
    expect(await store.insertUnique(keyed('b'))).toEqual({ inserted: true, id: 'b' });
  });

  it('needs a key', async () => {
    const error = await rejection(t.namespace().insertUnique(keyed('a', '')));
    expect(error).toBeInstanceOf(InvalidTaskError);
    expect(error).toMatchObject({ id: 'a', field: 'uniqueKey' });
  });

  it('of another key is another task', async () => {
    const store = t.namespace();
    expect(await store.insertUnique(keyed('a', 'k1'))).toMatchObject({ inserted: true });
    expect(await store.insertUnique(keyed('b', 'k2'))).toMatchObject({ inserted: true });
  });
});

describe('a unique key that is kept', () => {
  const kept = (id: string, uniqueForMs = 600_000) => ({ ...keyed(id), uniqueForMs });
  /** As if so many milliseconds had gone by for all keys. */
  const pass = (ms: number) =>
    t.pool.query('update unique_key set kept_until = kept_until - $1::interval', [
      `${ms} milliseconds`,
    ]);

  it.each<[string, (store: ReturnType<typeof t.namespace>) => Promise<unknown>]>([
    ['completed', (store) => drain(store)],
    ['cancelled', (store) => store.cancelTasks(['a'])],
    ['deleted', (store) => store.deleteTasks(['a'])],
  ])('stands in the way after its task was %s, until its time is up', async (_, end) => {
    const store = t.namespace();
    await store.insertUnique(kept('a'));
    await end(store);
    expect(await store.insertUnique(keyed('b'))).toEqual({ inserted: false, id: 'a' });
    const error = await rejection(store.insertTasks([keyed('c')]));
    expect(error).toBeInstanceOf(UniqueKeyTakenError);
    expect(error).toMatchObject({ keys: ['k'] });
    await pass(600_000);
    expect(await store.insertUnique(kept('b'))).toEqual({ inserted: true, id: 'b' });
    expect(await store.insertUnique(keyed('c'))).toEqual({ inserted: false, id: 'b' });
  });

  it('stands in the way longer than that, if its task takes longer', async () => {
    const store = t.namespace();
    await store.insertTasks([kept('a')]);
    await pass(600_000);
    expect(await store.insertUnique(keyed('b'))).toEqual({ inserted: false, id: 'a' });
    await drain(store);
    expect(await store.insertUnique(keyed('b'))).toEqual({ inserted: true, id: 'b' });
  });

  it('once its time is up, raced by 32 concurrent calls, goes to one, and all learn which', async () => {
    const store = t.namespace();
    await store.insertUnique(kept('a'));
    await drain(store);
    await pass(600_000);
    const all = await Promise.all(range(32).map((i) => store.insertUnique(kept(`t${i}`))));
    const [winner, ...others] = all.filter(({ inserted }) => inserted);
    expect(others).toEqual([]);
    expect(new Set(all.map(({ id }) => id))).toEqual(new Set([winner?.id]));
    expect(Object.keys(await statuses(store)).sort()).toEqual(['a', winner?.id].sort());
  });

  it('is taken again by its own task, run again', async () => {
    const store = t.namespace();
    await store.insertUnique(kept('a'));
    await drain(store);
    expect(await store.rerunTasks(['a'])).toBe(1);
    await drain(store);
    expect(await store.insertUnique(keyed('b'))).toEqual({ inserted: false, id: 'a' });
  });
});

describe('insertTasks with a unique key', () => {
  it('is refused as a whole while another has it, and names the keys', async () => {
    const store = t.namespace();
    await store.insertTasks([keyed('a', 'k1'), keyed('b', 'k2')]);
    const batch = [task('x'), keyed('c', 'k1'), keyed('d', 'k2'), keyed('e', 'k3')];
    const error = await rejection(store.insertTasks(batch));
    expect(error).toBeInstanceOf(UniqueKeyTakenError);
    const keys = error instanceof UniqueKeyTakenError ? error.keys : [];
    expect([...keys].sort()).toEqual(['k1', 'k2']);
    expect(Object.keys(await statuses(store))).toEqual(['a', 'b']);
    expect(await store.insertUnique(keyed('e', 'k3'))).toMatchObject({ inserted: true });
  });
});

describe('a registered body schema', () => {
  const schema = {
    type: 'object',
    required: ['url'],
    properties: { url: { type: 'string' }, sizes: { type: 'array', items: { type: 'integer' } } },
  };

  it('refuses bodies that do not fit, with the path of each fault, and leaves nothing', async () => {
    const store = t.namespace();
    store.registerBodySchema('fetch', schema);
    const body = { url: 7, sizes: [1, 'two'] };
    const batch = [task('good'), task('bad', { action: 'fetch', body })];
    const error = await rejection(store.insertTasks(batch));
    expect(error).toBeInstanceOf(InvalidBodyError);
    expect(error).toMatchObject({ code: 'INVALID_BODY', id: 'bad' });
    const errors = error instanceof InvalidBodyError ? error.errors : [];
    expect(errors.map(({ path }) => path)).toEqual(['/url', '/sizes/1']);
    expect(await statuses(store)).toEqual({});

    const missing = await rejection(store.insertTasks([task('none', { action: 'fetch' })]));
    expect(missing).toBeInstanceOf(InvalidBodyError);
    await store.insertTasks([task('fits', { action: 'fetch', body: { url: 'http://x' } })]);
  });

  it('holds for its action in its namespace alone', async () => {
    const store = t.namespace();
    store.registerBodySchema('fetch', schema);
    await store.insertTasks([task('other', { action: 'other', body: 7 })]);
    await t.namespace().insertTasks([task('elsewhere', { action: 'fetch', body: 7 })]);
  });

  it('that is none is refused', () => {
    expect(() => t.namespace().registerBodySchema('fetch', { type: 'nonsense' })).toThrow(
      InvalidOptionError,
    );
  });

  it.each<[string, unknown]>([
    ['a function', () => {}],
    ['a BigInt', { n: 1n }],
    ['\\u0000', { text: 'a\u0000b' }],
    ['half a surrogate pair', { text: '\ud800' }],
  ])('or not: a body that holds %s is refused', async (_, body) => {
    const store = t.namespace();
    const error = await rejection(store.insertTasks([task('bad', { body: body as string })]));
    expect(error).toBeInstanceOf(InvalidBodyError);
    expect(error).toMatchObject({ id: 'bad' });
    expect(await statuses(store)).toEqual({});
  });
});
