import { describe, expect, it } from 'vitest';
import type { RunWhen, StatusCode, TaskStore } from '../../src/index.js';
import { clockedStore } from '../support/clocked-store.js';
import {
  drain,
  giveBack,
  milestone,
  own,
  ownOne,
  range,
  sortedIds,
  statuses,
  task,
} from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

describe('failures that are counted (parade 5)', () => {
  it('reach the target as a number', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('111', { action: 'succeed', toSignalAfter: ['999'] }),
      task('222', { action: 'fail', toSignalAfter: ['999'] }),
      task('999', { action: 'done', totalDependencies: 2 }),
    ]);
    await giveBack(store, [await ownOne(store, { actions: ['succeed'] })]);
    expect(await own(store, { actions: ['done'] })).toEqual([]);
    await giveBack(store, [await ownOne(store, { actions: ['fail'] })], { statusCode: 'aborted' });
    const done = await ownOne(store, { actions: ['done'] });
    expect(done).toMatchObject({ id: '999', numSignalledFailures: 1 });
  });
});

describe('the divisors of 1 to 63 (parade 9)', () => {
  it('are each done before what they divide, and all get done', async () => {
    const store = t.namespace();
    const numbers = range(63).map((i) => i + 1);
    await store.insertTasks(
      numbers.map((n) =>
        task(`${n}`, { toSignalAfter: numbers.filter((m) => m > n && m % n === 0).map(String) }),
      ),
    );
    const done = new Set<number>();
    for (;;) {
      const owned = await own(store, { maxTasks: 17 });
      if (owned.length === 0) break;
      for (const { id } of owned) {
        const missing = numbers.filter(
          (d) => d < Number(id) && Number(id) % d === 0 && !done.has(d),
        );
        expect(missing).toEqual([]);
      }
      await giveBack(store, owned);
      for (const { id } of owned) done.add(Number(id));
    }
    expect(done.size).toBe(63);
  });
});

describe('run_when', () => {
  type End = 'success' | 'failure' | 'skipped';
  const MIXES: Record<string, End[]> = {
    success: ['success', 'success'],
    failure: ['failure', 'failure'],
    skipped: ['skipped', 'skipped'],
    'success and failure': ['success', 'failure'],
    'success and skipped': ['success', 'skipped'],
    'failure and skipped': ['failure', 'skipped'],
    'all three': ['success', 'failure', 'skipped'],
  };
  const RUNS: Record<RunWhen, string[]> = {
    all_done: Object.keys(MIXES),
    all_succeeded: ['success'],
    any_failed: ['failure', 'success and failure', 'failure and skipped', 'all three'],
    any_succeeded: ['success', 'success and failure', 'success and skipped', 'all three'],
  };
  const cases = Object.entries(RUNS).flatMap(([runWhen, runs]) =>
    Object.keys(MIXES).map((mix) => ({
      runWhen: runWhen as RunWhen,
      mix,
      outcome: runs.includes(mix) ? 'runs' : 'is skipped',
    })),
  );

  /** Ends each dependency as asked: one to be skipped runs only if a task that succeeds has failed. */
  async function endAll(store: TaskStore, ends: readonly End[]) {
    await drain(store, { actions: ['succeed'] });
    await drain(store, { actions: ['fail'] }, { statusCode: 'aborted' });
    const expected = { success: 'completed', failure: 'aborted', skipped: 'skipped' } as const;
    const found = await statuses(store);
    expect(ends.map((_, i) => found[`dep${i}`])).toEqual(ends.map((end) => expected[end]));
  }

  it.each(cases)('$runWhen after $mix: the task $outcome', async ({ runWhen, mix, outcome }) => {
    const store = t.namespace();
    const ends = MIXES[mix] ?? [];
    const skips = range(ends.length).filter((i) => ends[i] === 'skipped');
    await store.insertTasks([
      ...ends.map((end, i) =>
        task(`dep${i}`, {
          action: end === 'failure' ? 'fail' : 'succeed',
          toSignalAfter: ['judged'],
          ...(end === 'skipped' ? { runWhen: 'any_failed' } : {}),
        }),
      ),
      ...skips.map((i) => task(`before${i}`, { action: 'succeed', toSignalAfter: [`dep${i}`] })),
      task('judged', { runWhen, toSignalAfter: ['next'] }),
      task('next', { action: 'never' }),
    ]);
    await endAll(store, ends);

    const count = (end: End) => ends.filter((one) => one === end).length;
    const expected: Partial<Record<string, unknown>> = {
      numSignals: ends.length,
      numFailures: count('failure'),
      numSkipped: count('skipped'),
    };
    const next = { numSignals: 0, numFailures: 0, numSkipped: 0 };
    if (outcome === 'runs') {
      expect(await ownOne(store)).toMatchObject({ numSignalledFailures: count('failure') });
      expect(await store.getTask('next')).toMatchObject(next);
    } else {
      expect(await own(store)).toEqual([]);
      expected.statusCode = 'skipped' satisfies StatusCode;
      expected.status =
        `${runWhen} does not hold: of ${ends.length} dependencies ` +
        `${count('failure')} failed, ${count('skipped')} were skipped`;
      expect(await store.getTask('next')).toMatchObject({ ...next, numSignals: 1, numSkipped: 1 });
    }
    expect(await store.getTask('judged')).toMatchObject(expected);
  });
});

describe('a milestone', () => {
  it('alone is completed when it is inserted', async () => {
    const store = t.namespace();
    await store.insertTasks([milestone('m', { toSignalAfter: ['after'] }), task('after')]);
    expect(await store.getTask('m')).toMatchObject({ statusCode: 'completed', status: null });
    expect(await ownOne(store)).toMatchObject({ id: 'after' });
  });

  it('chained a thousand times is completed by the return of the first', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('first', { toSignalAfter: ['m0'] }),
      ...range(1000).map((i) =>
        milestone(`m${i}`, { toSignalAfter: [i < 999 ? `m${i + 1}` : 'last'] }),
      ),
      task('last'),
    ]);
    await giveBack(store, [await ownOne(store)]);
    // The chain is bounded work for any one call: each own takes up what the one before left.
    let calls = 0;
    let [last] = await own(store);
    while (!last && calls++ < 100) [last] = await own(store);
    expect(last).toMatchObject({ id: 'last' });
    const ended = Object.values(await statuses(store)).filter((status) => status === 'completed');
    expect(ended).toHaveLength(1001);
  });

  it('is a fan-in of a hundred, whether they fail or not', async () => {
    const store = t.namespace();
    await store.insertTasks([
      ...range(100).map((i) => task(`t${i}`, { toSignalAfter: ['m'] })),
      milestone('m', { toSignalAfter: ['end'] }),
      task('end', { action: 'finish' }),
    ]);
    const owned = await own(store);
    await giveBack(store, owned.slice(0, 99));
    expect((await store.getTask('m'))?.statusCode).toBe('pending');
    await giveBack(store, owned.slice(99), { statusCode: 'aborted' });
    expect(await store.getTask('m')).toMatchObject({ statusCode: 'completed', numFailures: 1 });
    expect(await ownOne(store, { actions: ['finish'] })).toMatchObject({ numSignalledFailures: 0 });
  });

  it('with startAfter is completed at that time', async () => {
    const { store, start, own } = clockedStore(t);
    const startAfter = new Date(start.getTime() + 1000);
    await store.insertTasks([milestone('m', { startAfter, toSignalAfter: ['end'] }), task('end')]);
    expect(await own(999)).toEqual([]);
    expect(await statuses(store)).toEqual({ m: 'pending', end: 'pending' });
    expect(await own(1000)).toMatchObject([{ id: 'end' }]);
  });
});

describe('a signal from outside', () => {
  it('counts for a task whose total expects it, and for no other', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('approved', { totalDependencies: 2 }),
      task('ready', { action: 'never' }),
    ]);
    const all = ['approved', 'ready', 'ghost'];
    expect(await store.signalTasks(all)).toBe(1);
    expect(await own(store)).toEqual([]);
    expect(await store.signalTasks(all, { failed: true })).toBe(1);
    expect(await ownOne(store)).toMatchObject({ id: 'approved', numSignalledFailures: 1 });
    expect(await store.signalTasks(all)).toBe(0);
    expect(await store.signalTasks([])).toBe(0);
  });

  it('for a task inserted later is not kept', async () => {
    const store = t.namespace();
    expect(await store.signalTasks(['later'])).toBe(0);
    await store.insertTasks([task('later', { totalDependencies: 1 })]);
    expect(await own(store)).toEqual([]);
    expect(await store.signalTasks(['later'])).toBe(1);
    expect(await ownOne(store)).toMatchObject({ id: 'later' });
  });

  it('beyond a given total is dropped', async () => {
    const store = t.namespace();
    await store.insertTasks([
      ...range(5).map((i) => task(`t${i}`, { toSignalAfter: ['end'] })),
      task('end', { action: 'finish', totalDependencies: 3 }),
    ]);
    await giveBack(store, await own(store), { statusCode: 'aborted' });
    expect(await store.getTask('end')).toMatchObject({ numSignals: 3, numFailures: 3 });
    expect(await ownOne(store, { actions: ['finish'] })).toMatchObject({ numSignalledFailures: 3 });
  });
});

describe('a duplicate edge', () => {
  it('counts once', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('a', { toSignalAfter: ['b', 'b', 'b'] }),
      task('b', { action: 'finish' }),
    ]);
    expect((await store.getTask('a'))?.toSignalAfter).toEqual(['b']);
    expect((await store.getTask('b'))?.totalDependencies).toBe(1);
    await drain(store);
    expect(await store.getTask('b')).toMatchObject({ numSignals: 1 });
    expect(await ownOne(store, { actions: ['finish'] })).toMatchObject({ id: 'b' });
  });
});

describe('export graphs', () => {
  it('an empty one is a lone finish task', async () => {
    const store = t.namespace();
    await store.insertTasks([task('finish')]);
    expect(await drain(store)).toEqual(['finish']);
  });

  it('two copies and a delete come before finish', async () => {
    const store = t.namespace();
    const toSignalAfter = ['finish'];
    await store.insertTasks([
      task('finish', { action: 'finish' }),
      task('copy1', { action: 'copy', toSignalAfter }),
      task('copy2', { action: 'copy', toSignalAfter }),
      task('delete1', { action: 'delete', toSignalAfter }),
    ]);
    const order = await drain(store, { actions: ['copy', 'delete', 'finish'] });
    expect(order.at(-1)).toBe('finish');
    expect(order).toHaveLength(4);
  });

  it("each directory's success comes after all that lies under it, finish after the root's", async () => {
    const store = t.namespace();
    const files = ['a/1', 'a/2', 'a/b/1', 'a/b/2', 'a/b/c/1', 'd/1', '1'];
    const parentOf = (path: string) => path.replace(/\/?[^/]+$/, '');
    const directories = new Set(['']);
    for (const file of files) {
      for (let at = parentOf(file); at !== ''; at = parentOf(at)) directories.add(at);
    }
    await store.insertTasks([
      ...files.map((file) =>
        task(`copy:${file}`, { toSignalAfter: [`success:${parentOf(file)}`] }),
      ),
      ...Array.from(directories, (directory) =>
        task(`success:${directory}`, {
          toSignalAfter: [directory === '' ? 'finish' : `success:${parentOf(directory)}`],
        }),
      ),
      task('finish'),
    ]);
    const order = await drain(store, { maxTasks: 1 });
    expect(sortedIds(order.map((id) => ({ id })))).toHaveLength(
      files.length + directories.size + 1,
    );
    for (const id of order) {
      const path = id.slice(id.indexOf(':') + 1);
      if (id !== 'finish' && path !== '') {
        expect(order.indexOf(`success:${parentOf(path)}`)).toBeGreaterThan(order.indexOf(id));
      }
    }
    expect(order.slice(-2)).toEqual(['success:', 'finish']);
  });
});
