import { describe, expect, it } from 'vitest';
import {
  CycleError,
  DuplicateTaskError,
  InvalidTaskError,
  TargetStartedError,
  type TaskInput,
  UniqueKeyTakenError,
  UnknownTargetError,
} from '../../src/index.js';
import { drain, eventually, own, range, rejection, statuses, task } from '../support/factories.js';
import { openTransaction } from '../support/open-transaction.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

/** A session of the caller's own with an open transaction. */
const begin = () => openTransaction(t.pool);

/** Resolves when `count` sessions of the test's pool or box wait for a lock of somebody else's. */
async function untilBlocked(count = 1): Promise<void> {
  await eventually(async () => {
    const { rows } = await t.pool.query(
      `select count(distinct l.pid)::int as count from pg_locks l join pg_stat_activity a using (pid)
       where not l.granted and a.query like $1`,
      [`%${t.schema}%`],
    );
    expect(rows[0].count).toBeGreaterThanOrEqual(count);
  });
}

describe("in the caller's transaction", () => {
  it('tasks appear when it commits', async () => {
    const store = t.namespace();
    const tx = await begin();
    await store.insertTasks([task('a', { toSignalAfter: ['b'] }), task('b')], { tx });
    expect(await own(store)).toEqual([]);
    expect(await statuses(store)).toEqual({});
    await tx.query('commit');
    expect(await drain(store)).toEqual(['a', 'b']);
  });

  it('tasks never appear when it rolls back', async () => {
    const store = t.namespace();
    const tx = await begin();
    await store.insertTasks([task('a', { uniqueKey: 'k' })], { tx });
    await tx.query('rollback');
    expect(await statuses(store)).toEqual({});
    await store.insertTasks([task('a', { uniqueKey: 'k' })]);
  });

  it('several inserts may build on one another', async () => {
    const store = t.namespace();
    const tx = await begin();
    await store.insertTasks([task('end', { action: 'finish', totalDependencies: 1 })], { tx });
    await store.insertTasks([task('a', { toSignalAfter: ['end'] })], { tx });
    await tx.query('commit');
    expect(await drain(store, { actions: ['work', 'finish'] })).toEqual(['a', 'end']);
  });

  const wrong: [string, new (...args: never[]) => Error, TaskInput[]][] = [
    ['a duplicate in the batch', DuplicateTaskError, [task('x'), task('x')]],
    ['a duplicate in the database', DuplicateTaskError, [task('x'), task('old')]],
    ['a duplicate alone', DuplicateTaskError, [task('old')]],
    ['an unknown target', UnknownTargetError, [task('x', { toSignalAfter: ['ghost'] })]],
    ['a target that has started', TargetStartedError, [task('x', { toSignalAfter: ['old'] })]],
    ['a cycle', CycleError, [task('x', { toSignalAfter: ['x'] })]],
    ['an invalid field', InvalidTaskError, [task('x', { priority: 1e9 })]],
    ['a key that is taken', UniqueKeyTakenError, [task('x', { uniqueKey: 'k' }), task('y')]],
    [
      'a key twice in the batch',
      UniqueKeyTakenError,
      ['x', 'y'].map((id) => task(id, { uniqueKey: 'l' })),
    ],
  ];
  it.each(wrong)('after %s it is still usable, and nothing is left', async (_, type, batch) => {
    const store = t.namespace();
    await store.insertTasks([task('old', { uniqueKey: 'k' })]);
    const tx = await begin();
    await store.insertTasks([task('before')], { tx });
    expect(await rejection(store.insertTasks(batch, { tx }))).toBeInstanceOf(type);
    await store.insertTasks([task('after')], { tx });
    await tx.query('commit');
    expect(await statuses(store)).toEqual({ after: 'pending', before: 'pending', old: 'pending' });
  });
});

describe('two sessions that insert the same id', () => {
  it('at once: the second waits, and learns which ids the first has inserted', async () => {
    const store = t.namespace();
    // First: inserts twice and once, and does not commit yet.
    const tx = await begin();
    await store.insertTasks([task('twice1'), task('twice2'), task('once')], { tx });
    // Second: inserts the same. The unique index makes it wait.
    const batch = range(50)
      .map((i) => task(`own${i}`))
      .concat(task('twice2'), task('twice1'));
    const second = rejection(store.insertTasks(batch));
    await untilBlocked();
    // First: commits. The second's constraint fires.
    await tx.query('commit');
    const error = await second;
    expect(error).toBeInstanceOf(DuplicateTaskError);
    expect(error).toMatchObject({ ids: ['twice1', 'twice2'] });
    expect(Object.keys(await statuses(store))).toEqual(['once', 'twice1', 'twice2']);
  });

  it('at once, and the first rolls back: the second goes through', async () => {
    const store = t.namespace();
    const tx = await begin();
    await store.insertTasks([task('a'), task('b')], { tx });
    const second = store.insertTasks([task('b'), task('c')]);
    await untilBlocked();
    await tx.query('rollback');
    expect(await second).toEqual({ inserted: 2 });
    expect(Object.keys(await statuses(store))).toEqual(['b', 'c']);
  });

  it('crosswise: one of them wins, the other is told so instead of a deadlock', async () => {
    const store = t.namespace();
    const ids = range(2000).map((i) => `t${i}`);
    const settled = await Promise.allSettled([
      store.insertTasks(ids.map((id) => task(id))),
      store.insertTasks([...ids].reverse().map((id) => task(id))),
    ]);
    const failures = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(failures).toHaveLength(1);
    expect(failures[0]).toBeInstanceOf(DuplicateTaskError);
    expect(failures[0].ids).toHaveLength(2000);
    expect(await own(store, { maxTasks: 5000 })).toHaveLength(2000);
  });
});

describe('an edge to a task inserted earlier', () => {
  it('races its start: whoever comes second waits, and is told', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('a', { toSignalAfter: ['end'] }),
      task('end', { action: 'finish' }),
    ]);
    const [a] = await own(store);
    // First: lists end, which holds its row lock, and does not commit yet.
    const tx = await begin();
    await store.insertTasks([task('b', { toSignalAfter: ['end'] })], { tx });
    // Second: returns a, whose signal has to wait for that lock.
    const returned = store.returnTask('a', a?.token ?? '', { statusCode: 'completed' });
    await untilBlocked();
    // First: commits. end now waits for b as well.
    await tx.query('commit');
    await returned;
    expect(await store.getTask('end')).toMatchObject({ totalDependencies: 2, numSignals: 1 });
    expect(await own(store, { actions: ['finish'] })).toEqual([]);
    expect(await drain(store)).toEqual(['b']);
    expect(await drain(store, { actions: ['finish'] })).toEqual(['end']);
  });

  it('is refused if its last signal was given while the insert waited for it', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('a', { toSignalAfter: ['end'] }),
      task('end', { action: 'finish' }),
    ]);
    const [a] = await own(store);
    // First: returns a within a transaction: end has all its signals, its row is locked.
    const tx = await begin();
    const prefix = (
      await t.pool.query(`select id from task where performance_token = $1`, [a?.token])
    ).rows[0].id;
    await tx.query(`select return_tasks($1, $2, '{completed}')`, [[prefix], [a?.token]]);
    // Second: saw end waiting, and blocks on its lock.
    const second = rejection(store.insertTasks([task('b', { toSignalAfter: ['end'] })]));
    await untilBlocked();
    // First: commits.
    await tx.query('commit');
    const error = await second;
    expect(error).toBeInstanceOf(TargetStartedError);
    expect(error).toMatchObject({ ids: ['end'] });
    expect(Object.keys(await statuses(store))).toEqual(['a', 'end']);
  });

  it('is refused if it was deleted while the insert waited for it', async () => {
    const store = t.namespace();
    await store.insertTasks([task('end', { totalDependencies: 1 })]);
    const tx = await begin();
    await tx.query(`select delete_tasks(array(select id from task where id like '%.end'))`);
    const second = rejection(store.insertTasks([task('b', { toSignalAfter: ['end'] })]));
    await untilBlocked();
    await tx.query('commit');
    const error = await second;
    expect(error).toBeInstanceOf(UnknownTargetError);
    expect(error).toMatchObject({ ids: ['end'] });
    expect(await statuses(store)).toEqual({});
  });
});
