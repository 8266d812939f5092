import { describe, expect, it } from 'vitest';
import type { TaskFilter } from '../../src/index.js';
import { giveBack, listedIds, own, range, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

describe('listing', () => {
  it.each<[TaskFilter | undefined, string[]]>([
    [undefined, ['a/1', 'a/2', 'ab/1', 'b/1']],
    [{}, ['a/1', 'a/2', 'ab/1', 'b/1']],
    [{ idPrefix: 'a' }, ['a/1', 'a/2', 'ab/1']],
    [{ idPrefix: 'a/' }, ['a/1', 'a/2']],
    [{ idPrefix: '%' }, []],
    [{ actions: ['copy'] }, ['a/2', 'b/1']],
    [{ queues: ['slow', 'none'] }, ['ab/1']],
    [{ statusCodes: ['completed', 'aborted'] }, ['a/1']],
    [{ statusCodes: ['pending'], actions: ['copy'], idPrefix: 'a' }, ['a/2']],
    [{ limit: 2 }, ['a/1', 'a/2']],
    [{ limit: 0 }, []],
    [{ actions: [] }, []],
    [{ statusCodes: [] }, []],
  ])('by %j gives %j', async (filter, ids) => {
    const store = t.namespace();
    await store.insertTasks([
      task('b/1', { action: 'copy' }),
      task('ab/1', { queue: 'slow' }),
      task('a/2', { action: 'copy' }),
      task('a/1', { action: 'first' }),
    ]);
    await giveBack(store, await own(store, { actions: ['first'] }));
    expect(await listedIds(store, filter)).toEqual(ids);
  });

  it.each(['z', 'é', '\u{d7ff}', '\u{10ffff}', '🙂\u{10ffff}\u{10ffff}', '~'])(
    'by the prefix %j gives all that begin with it',
    async (idPrefix) => {
      const store = t.namespace();
      const inside = ['', '0', '\u{10ffff}\u{10ffff}', '\u{1}'].map((end) => idPrefix + end).sort();
      await store.insertTasks([...inside, 'a', 'zz0', '\u{e000}', '🙃'].map((id) => task(id)));
      const expected = [...inside, ...(idPrefix === 'z' ? ['zz0'] : [])];
      expect((await listedIds(store, { idPrefix })).sort()).toEqual(expected.sort());
    },
  );

  it('goes page by page through more tasks than a page, in the order of their ids', async () => {
    const store = t.namespace();
    const ids = range(2500).map((i) => `t${i}`);
    await store.insertTasks(ids.map((id) => task(id)));
    expect(await listedIds(store)).toEqual([...ids].sort());
    expect(await listedIds(store, { limit: 1500 })).toEqual([...ids].sort().slice(0, 1500));
  });
});

describe('getting tasks', () => {
  it('gives those that exist in the order asked for', async () => {
    const store = t.namespace();
    await store.insertTasks(['a', 'b', 'c'].map((id) => task(id)));
    expect((await store.getTasks(['c', 'ghost', 'a'])).map(({ id }) => id)).toEqual(['c', 'a']);
    expect(await store.getTask('ghost')).toBeNull();
    expect(await store.getTasks([])).toEqual([]);
  });
});
