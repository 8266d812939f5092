import { describe, expect, it } from 'vitest';
import { InvalidTokenError, type TaskInput } from '../../src/index.js';
import {
  drain,
  giveBack,
  milestone,
  own,
  ownOne,
  range,
  rejection,
  sortedIds,
  statuses,
  task,
} from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

interface DeleteCase {
  title: string;
  tasks: TaskInput[];
  signalled?: string[];
  completed?: string[];
  deleted: string;
  left: string[];
}

const to = (...toSignalAfter: string[]) => ({ toSignalAfter });
const CASES: DeleteCase[] = [
  {
    title: 'a chain with side doors goes altogether',
    tasks: [
      task('a0', to('a1', 'a3')),
      task('a1', to('a2')),
      task('a2', { ...to('a3'), totalDependencies: 2 }),
      task('a3', { totalDependencies: 2 }),
    ],
    signalled: ['a2'],
    deleted: 'a0',
    left: [],
  },
  {
    title: 'what waits for another task too is left',
    tasks: [task('b0', to('b2')), task('b1', to('b2')), task('b2')],
    deleted: 'b0',
    left: ['b1', 'b2'],
  },
  {
    title: 'a tree whose branches meet goes altogether',
    tasks: [
      task('c0', to('c1', 'c2')),
      task('c1', to('c3', 'c4')),
      task('c2', to('c4', 'c5')),
      task('c3', to('c5', 'c6')),
      task('c4'),
      task('c5'),
      task('c6'),
    ],
    deleted: 'c0',
    left: [],
  },
  {
    title: 'a completed task has given its signal: its target is left (difference 6)',
    tasks: [task('d0', to('d1')), task('d1', { totalDependencies: 2 })],
    completed: ['d0'],
    deleted: 'd0',
    left: ['d1'],
  },
  {
    title: 'a pending task whose target has its other signal takes that along',
    tasks: [task('e0', to('e1')), task('e1', { totalDependencies: 2 })],
    signalled: ['e1'],
    deleted: 'e0',
    left: [],
  },
];

describe('deleting (parade 10)', () => {
  it.each(CASES)('$title', async ({ tasks, signalled = [], completed = [], deleted, left }) => {
    t.allow({ signalsMayOutnumberSenders: true });
    const store = t.namespace();
    await store.insertTasks(tasks);
    if (completed.length > 0) expect(await drain(store)).toEqual(completed);
    await store.signalTasks(signalled);
    const count = await store.deleteTasks([deleted]);
    expect(sortedIds(await store.getTasks(tasks.map(({ id }) => id)))).toEqual(left);
    expect(count).toBe(tasks.length - left.length);
  });

  it('leaves a target that still waits with a total that can be reached', async () => {
    const store = t.namespace();
    await store.insertTasks([task('b0', to('b2')), task('b1', to('b2')), task('b2')]);
    await store.deleteTasks(['b0']);
    expect(await store.getTask('b2')).toMatchObject({ totalDependencies: 1, numSignals: 0 });
    expect(await drain(store)).toEqual(['b1', 'b2']);
  });
});

describe('deleting a task that may be owned', () => {
  it('takes it out of its lane', async () => {
    const store = t.namespace();
    await store.insertTasks(range(10).map((i) => task(`t${i}`)));
    expect(await store.deleteTasks(['t3', 't4', 'ghost'])).toBe(2);
    expect(await own(store)).toHaveLength(8);
  });

  it('takes it out of its timer', async () => {
    const store = t.namespace();
    const startAfter = new Date(Date.now() + 3_600_000);
    await store.insertTasks([task('a', { startAfter }), task('b', { startAfter })]);
    expect(await store.deleteTasks(['a'])).toBe(1);
    await t.pool.query(`select run_timers(now() + interval '2 hours')`);
    expect(sortedIds(await own(store))).toEqual(['b']);
  });

  it('lets the same id be inserted again, as a new task', async () => {
    const store = t.namespace();
    const startAfter = new Date(Date.now() + 3_600_000);
    await store.insertTasks([task('a', { startAfter })]);
    await store.deleteTasks(['a']);
    await store.insertTasks([task('a')]);
    expect(await own(store)).toHaveLength(1);
    // The timer of the deleted one comes due, and must not make the new one ready a second time.
    await t.pool.query(`select run_timers(now() + interval '2 hours')`);
    expect(await own(store)).toEqual([]);
  });
});

describe('deleting a task in progress', () => {
  it('makes its token invalid, and takes along what waited for it alone', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', to('b')), task('b', { action: 'never' })]);
    const { token } = await ownOne(store, { maxDurationMs: 60_000 });
    expect(await store.deleteTasks(['a'])).toBe(2);
    const returned = store.returnTask('a', token, { statusCode: 'completed' });
    expect(await rejection(returned)).toBeInstanceOf(InvalidTokenError);
    await expect(store.extendTaskDeadline('a', token, 1000)).rejects.toThrow(InvalidTokenError);
    expect(await statuses(store)).toEqual({});
  });

  it('is not done without force', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', to('b')), task('b', { action: 'never' }), task('c')]);
    const held = await own(store, { maxTasks: 1 });
    expect(await store.deleteTasks(['a', 'c'], { force: false })).toBe(1);
    expect(await statuses(store)).toEqual({ a: 'in-progress', b: 'pending' });
    await giveBack(store, held);
    expect(await store.deleteTasks(['a', 'b'], { force: false })).toBe(2);
  });

  it('never takes along a target that has started (difference 6)', async () => {
    t.allow({ signalsMayOutnumberSenders: true });
    const store = t.namespace();
    await store.insertTasks([
      task('a', to('early')),
      task('late', { ...to('early'), action: 'never' }),
      task('early', { action: 'started', totalDependencies: 1 }),
    ]);
    await giveBack(store, [await ownOne(store)]);
    const started = await ownOne(store, { actions: ['started'] });
    expect(await store.deleteTasks(['a', 'late'])).toBe(2);
    await giveBack(store, [started]);
    expect(await statuses(store)).toEqual({ early: 'completed' });
  });
});

describe('deleting ended tasks', () => {
  it.each([['completed'], ['aborted']] as const)(
    'that were %s leaves what they signalled',
    async (statusCode) => {
      t.allow({ signalsMayOutnumberSenders: true });
      const store = t.namespace();
      await store.insertTasks([task('a', to('b')), task('b', { action: 'finish' })]);
      await giveBack(store, [await ownOne(store)], { statusCode });
      expect(await store.deleteTasks(['a'])).toBe(1);
      const owned = await ownOne(store, { actions: ['finish'] });
      expect(owned.numSignalledFailures).toBe(statusCode === 'aborted' ? 1 : 0);
    },
  );

  it('cancelled ones too, and milestones', async () => {
    t.allow({ signalsMayOutnumberSenders: true });
    const store = t.namespace();
    await store.insertTasks([
      task('a', to('m')),
      milestone('m', to('end')),
      task('end', { action: 'finish' }),
    ]);
    await store.cancelTasks(['a']);
    expect(await store.deleteTasks(['a', 'm'])).toBe(2);
    expect(await ownOne(store, { actions: ['finish'] })).toMatchObject({ id: 'end' });
  });
});

describe('deleting many (difference 9)', () => {
  it('takes 20,000 tasks along from one', async () => {
    const store = t.namespace();
    const ids = range(20_000).map((i) => `t${i}`);
    await store.insertTasks([
      task('first', { toSignalAfter: ids }),
      ...ids.map((id) => task(id, to('last'))),
      task('last'),
    ]);
    expect(await store.deleteTasks(['first'])).toBe(20_002);
    expect(await statuses(store)).toEqual({});
  });

  it('takes a chain of 300 along', async () => {
    const store = t.namespace();
    await store.insertTasks(range(300).map((i) => task(`t${i}`, i < 299 ? to(`t${i + 1}`) : {})));
    expect(await store.deleteTasks(['t0'])).toBe(300);
  });

  it('of none is nothing', async () => {
    expect(await t.namespace().deleteTasks([])).toBe(0);
  });
});
