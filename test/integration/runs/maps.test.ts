import { describe, expect, it } from 'vitest';
import {
  graph,
  optional,
  PermanentError,
  RunFailedError,
  settled,
  startRun,
} from '../../../src/index.js';
import { actionPrefix } from '../../../src/run/names.js';
import { eventually, listedIds, own, range, rejection } from '../../support/factories.js';
import { startWorker } from '../../support/run-graphs.js';
import { useTestBox } from '../../support/test-box.js';

const t = useTestBox();
const WAIT = { timeoutMs: 40_000 };

describe('a map', () => {
  it('is performed item by item, with the retries of each', async () => {
    const store = t.namespace();
    const tries: number[] = [];
    const g = graph('retry');
    const list = g.task('list', { run: () => range(3) });
    const each = g.map('each', {
      over: list,
      retries: 2,
      run: ({ item, attempt }) => {
        tries.push(item);
        if (item === 1 && attempt < 3) throw new Error('not yet');
        return item;
      },
    });
    const definition = g.outputs({ each });
    await startWorker(store, [definition]);
    const { each: results } = await (await startRun(store, definition, undefined)).result(WAIT);
    expect(await results.all()).toEqual([0, 1, 2]);
    expect(tries.sort()).toEqual([0, 1, 1, 1, 2]);
  });

  it.each([
    [{ count: 1 }, 'aborted'],
    [{ count: 3 }, 'completed'],
    [{ ratio: 0.1 }, 'aborted'],
    [{ ratio: 0.2 }, 'completed'],
  ] as const)(
    'of which 2 of 10 items failed is, with failAfter %o, %s',
    async (failAfter, code) => {
      const store = t.namespace();
      const g = graph('fail-after');
      const list = g.task('list', { run: () => range(10) });
      const each = g.map('each', {
        over: list,
        failAfter,
        run: ({ item }) => {
          if (item === 3 || item === 7) throw new PermanentError('bad');
          return item;
        },
      });
      const definition = g.outputs({ each: settled(each) });
      await startWorker(store, [definition]);
      const run = await startRun(store, definition, undefined);
      const { each: outcome } = await run.result(WAIT);
      if (outcome.status === 'completed') {
        expect(await outcome.value.all()).toEqual([0, 1, 2, 4, 5, 6, 8, 9]);
      } else {
        expect(outcome).toEqual({
          status: 'failed',
          error: '2 of 10 items failed, first item 3: bad',
        });
      }
      const [node] = (await run.nodes()).filter((one) => one.node === 'each');
      expect(node).toMatchObject({ statusCode: code, items: { completed: 8, aborted: 2 } });
    },
  );

  it('fails where it does not go over an array', async () => {
    const store = t.namespace();
    const g = graph('no-array');
    const list = g.task('list', { run: (): readonly number[] => JSON.parse('{}') });
    const each = g.map('each', { over: list, run: ({ item }) => item });
    const definition = g.outputs({ each });
    await startWorker(store, [definition]);
    const error = await rejection((await startRun(store, definition, undefined)).result(WAIT));
    expect(error).toMatchObject({
      failures: [{ node: 'each', status: 'over must be an array, and "list" came to object' }],
    });
  });

  it('tells the store its concurrency', async () => {
    const store = t.namespace();
    const g = graph('limited');
    const list = g.task('list', { run: () => range(2) });
    const each = g.map('each', { over: list, concurrency: 1, run: ({ item }) => item });
    const definition = g.outputs({ each: optional(each) });
    const worker = await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined, { runId: '1' });
    await store.waitFor('limited/1/each/~items', WAIT);
    await worker.stop();
    expect(await store.getTask('limited/1/each/0')).toMatchObject({ limitKey: 'limited/1/each' });
    await run.cancel();
  });

  it('has all of its items or none, wherever its worker dies', async () => {
    const store = t.namespace();
    const g = graph('crash');
    const list = g.task('list', { run: () => range(100) });
    const each = g.map('each', { over: list, run: ({ item }) => item });
    const definition = g.outputs({ each });
    const run = await startRun(store, definition, undefined, { runId: '1' });
    const [listTask] = await own(store, { actions: [`${actionPrefix(definition)}list`] });
    if (!listTask) throw new Error('nothing to own');
    await store.returnTask(listTask.id, listTask.token, {
      statusCode: 'completed',
      result: range(100),
    });
    // A worker owns the expander, inserts its items, and dies before the return is committed: it lost its lease.
    const [lost] = await own(store, {
      actions: [`${actionPrefix(definition)}each/~items`],
      maxDurationMs: 1,
    });
    await t.pool.query(`select run_timers(now() + interval '1 minute')`);
    const tasks = range(100).map((i) => ({
      id: `crash/1/each/${i}`,
      action: `${actionPrefix(definition)}each`,
      toSignalAfter: ['crash/1/each'],
    }));
    const late = store.returnTask(lost?.id ?? '', lost?.token ?? '', {
      statusCode: 'completed',
      tasks,
    });
    expect(await rejection(late)).toMatchObject({ code: 'INVALID_TOKEN' });
    expect(await listedIds(store, { idPrefix: 'crash/1/each/' })).toEqual(['crash/1/each/~items']);
    await startWorker(store, [definition]);
    const { each: results } = await run.result(WAIT);
    expect(await results.all()).toEqual(range(100));
  });

  it('has none of its items where the connection breaks halfway through inserting them', async () => {
    const g = graph('broken');
    const list = g.task('list', { run: () => range(50) });
    const each = g.map('each', { over: list, run: ({ item }) => item });
    const definition = g.outputs({ each });
    const run = await startRun(t.box, definition, undefined, { runId: '1' });
    // 1. Somebody has the join locked, so the return of the expander waits once its items are written.
    const holder = await t.pool.connect();
    await holder.query(`begin; select from task where id = 'broken/1/each' for update`);
    await startWorker(t.box, [definition], { errWaitTimeMs: 20 });
    // 2. Its connection breaks.
    const pid = await eventually(async () => {
      const { rows } = await t.pool.query(
        `select pid from pg_stat_activity
         where wait_event_type = 'Lock' and query like $1 and datname = current_database()`,
        [`%${t.schema}%enqueue_tasks%`],
      );
      expect(rows).toHaveLength(1);
      return rows[0].pid;
    });
    await t.pool.query('select pg_terminate_backend($1)', [pid]);
    const items = { idPrefix: 'broken/1/each/' };
    expect(await listedIds(t.box, items)).toEqual(['broken/1/each/~items']);
    // 3. It is tried again.
    await holder.query('rollback');
    holder.release();
    expect(await (await run.result(WAIT)).each.all()).toEqual(range(50));
  });

  it('of 10,000 items comes to all of them', async () => {
    const store = t.namespace();
    const g = graph<number>('many');
    const list = g.task('list', { run: ({ input }) => range(input) });
    const each = g.map('each', { over: list, run: ({ item }) => item + 1 });
    const definition = g.outputs({ each });
    await startWorker(store, [definition], { workers: 500 });
    const run = await startRun(store, definition, 10_000);
    const { each: results } = await run.result(WAIT);
    expect(results.count).toBe(10_000);
    let [sum, index] = [0, 0];
    for await (const one of results) {
      expect(one).toBe(++index);
      sum += one;
    }
    expect(sum).toBe(50_005_000);
  });
});

describe('a map over a map', () => {
  function zipped(onSecond: (index: number) => void = () => {}) {
    const g = graph<{ n: number; wanted?: boolean }>('zip');
    const list = g.task('list', { run: ({ input }) => range(input.n) });
    const other = g.task('other', { run: () => 100 });
    const first = g.map('first', {
      over: list,
      failAfter: { count: 2 },
      run: ({ item }) => {
        if (item === 3) throw new PermanentError('three');
        return item * 2;
      },
    });
    const second = g.map('second', {
      over: first,
      run: ({ item, index }) => {
        onSecond(index);
        return item + 1;
      },
    });
    const third = g.map('third', {
      over: second,
      after: { other },
      if: ({ input }) => input.wanted !== false,
      run: ({ item, deps }) => item + deps.other,
    });
    return g.outputs({ second, third: settled(third) });
  }

  it.each([0, 1, 3])('goes item by item, %i of them', async (n) => {
    const store = t.namespace();
    const definition = zipped();
    await startWorker(store, [definition]);
    const { second, third } = await (await startRun(store, definition, { n })).result(WAIT);
    expect(await second.all()).toEqual(range(n).map((i) => i * 2 + 1));
    expect(third.status === 'completed' && (await third.value.all())).toEqual(
      range(n).map((i) => i * 2 + 101),
    );
  });

  it('skips the items whose item failed', async () => {
    const store = t.namespace();
    const seen: number[] = [];
    const definition = zipped((index) => seen.push(index));
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, { n: 5 }, { runId: '1' });
    const { third } = await run.result(WAIT);
    expect(seen.sort()).toEqual([0, 1, 2, 4]);
    expect(third.status === 'completed' && (await third.value.all())).toEqual([101, 103, 105, 109]);
    expect(await store.getTask('zip/1/third/3')).toMatchObject({
      statusCode: 'skipped',
      status: 'skipped since "first/3" failed: three',
    });
  });

  it('is skipped with all its items by its own condition', async () => {
    const store = t.namespace();
    const definition = zipped();
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, { n: 3, wanted: false });
    const { second, third } = await run.result(WAIT);
    expect(second.count).toBe(3);
    expect(third).toEqual({ status: 'skipped', reason: 'its condition is false' });
    const [node] = (await run.nodes()).filter((one) => one.node === 'third');
    expect(node?.items?.skipped).toBe(3);
  });

  it('ends where its condition throws', async () => {
    const store = t.namespace();
    const g = graph('throwing');
    const list = g.task('list', { run: () => range(2) });
    const first = g.map('first', { over: list, run: ({ item }) => item });
    const second = g.map('second', {
      over: first,
      if: () => {
        throw new Error('no idea');
      },
      run: ({ item }) => item,
    });
    const definition = g.outputs({ second });
    await startWorker(store, [definition]);
    const error = await rejection((await startRun(store, definition, undefined)).result(WAIT));
    expect(error).toBeInstanceOf(RunFailedError);
    expect(error).toMatchObject({ failures: [{ node: 'second', status: 'no idea' }] });
  });
});
