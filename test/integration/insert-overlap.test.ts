import pg from 'pg';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import {
  CycleError,
  DuplicateTaskError,
  InvalidTaskError,
  type TaskInput,
  UnknownTargetError,
} from '../../src/index.js';
import { drain, range, rejection, statuses, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

// Of a source that never waits, the first 2,000 tasks are read before any is written, the rest meanwhile.
const COUNT = 15_000;
const t = useTestBox();

/** Pairs: of two tasks the first signals the second. */
function pairs(count = COUNT): TaskInput[] {
  return range(count / 2).flatMap((i) => [
    task(`p${i}`, { toSignalAfter: [`q${i}`] }),
    task(`q${i}`),
  ]);
}

/** A box, and how many of its connections are taken at this moment. */
async function watchedBox() {
  const pool = new pg.Pool({ connectionString: inject('connectionString'), max: 3 });
  onTestFinished(() => pool.end());
  const box = await t.another({ pool, listenConnectionString: inject('connectionString') });
  return { box, numTaken: () => pool.totalCount - pool.idleCount };
}

describe('a long insert', () => {
  it('is written while it is read', async () => {
    const { box, numTaken } = await watchedBox();
    const store = box.withPrefix('overlap');
    await store.insertTasks([task('first')]); // afterwards the version is known
    const taken: number[] = [];
    function* source() {
      for (const one of pairs()) {
        taken.push(numTaken());
        yield one;
      }
    }
    expect(await store.insertTasks(source())).toEqual({ inserted: COUNT });
    expect([taken[1_999], taken.at(-1)]).toEqual([0, 1]);
    const outcomes = await store.getTasks(['p7000', 'q7000']);
    expect(outcomes.map((one) => one.totalDependencies)).toEqual([0, 1]);
  });

  it('has the total of a task right that is listed after it was written', async () => {
    const store = t.namespace();
    const late = task('late', { toSignalAfter: ['p0', 'q0', 'given'] });
    const given = task('given', { totalDependencies: 2 });
    await store.insertTasks([
      given,
      ...pairs(12_000),
      late,
      task('last', { totalDependencies: 1 }),
    ]);
    const tasks = await store.getTasks(['p0', 'q0', 'given', 'late', 'q5999']);
    expect(tasks.map((one) => one.totalDependencies)).toEqual([1, 2, 2, 0, 1]);
    await store.signalTasks(['given', 'last']);
    const order = await drain(store);
    expect(order).toHaveLength(12_003);
    expect(order.indexOf('p0')).toBeGreaterThan(order.indexOf('late'));
  });

  it.each([
    ['a task that is not valid', [task('x', { priority: 0.5 })], InvalidTaskError],
    ['a duplicate of a task written', [task('p1')], DuplicateTaskError],
    [
      'a cycle',
      [task('x', { toSignalAfter: ['y'] }), task('y', { toSignalAfter: ['x'] })],
      CycleError,
    ],
    ['an unknown target', [task('x', { toSignalAfter: ['nowhere'] })], UnknownTargetError],
  ])('with %s at its end is refused whole', async (_, end, error) => {
    const store = t.namespace();
    expect(await rejection(store.insertTasks([...pairs(), ...end]))).toBeInstanceOf(error);
    expect(await statuses(store)).toEqual({});
  });

  it('with a source that throws is refused whole, by its error', async () => {
    const store = t.namespace();
    const failure = new Error('source');
    let isClosed = false;
    function* source() {
      try {
        yield* pairs();
        throw failure;
      } finally {
        isClosed = true;
      }
    }
    expect(await rejection(store.insertTasks(source()))).toBe(failure);
    expect([isClosed, await statuses(store)]).toEqual([true, {}]);
  });

  it('names every id that exists, those not yet read when that shows too; first of all what is wrong with it', async () => {
    const store = t.namespace();
    await store.insertTasks([task('p0'), task(`q${COUNT / 2 - 1}`)]);
    const error = await rejection(store.insertTasks(pairs()));
    expect(error).toMatchObject({ ids: ['p0', `q${COUNT / 2 - 1}`], code: 'DUPLICATE_TASK' });
    const worse = store.insertTasks([...pairs(), task('x', { priority: 0.5 })]);
    expect(await rejection(worse)).toBeInstanceOf(InvalidTaskError);
  });

  it('that is refused leaves the transaction of its caller usable', async () => {
    const store = t.namespace();
    const client = await t.pool.connect();
    try {
      await client.query('begin');
      await store.insertTasks([task('kept')], { tx: client });
      const bad = [...pairs(), task('x', { priority: 0.5 })];
      expect(await rejection(store.insertTasks(bad, { tx: client }))).toBeInstanceOf(
        InvalidTaskError,
      );
      await store.insertTasks(pairs(), { tx: client });
      await client.query('commit');
    } finally {
      client.release();
    }
    const found = await statuses(store);
    expect([found.kept, found.p0, found.x]).toEqual(['pending', 'pending', undefined]);
  });
});
