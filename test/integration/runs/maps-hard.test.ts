import { describe, expect, it } from 'vitest';
import {
  graph,
  graphWorker,
  PermanentError,
  type ReturnReport,
  startRun,
  type TaskStore,
} from '../../../src/index.js';
import { alteredStore } from '../../support/altered-store.js';
import { listedIds, range } from '../../support/factories.js';
import { startWorker } from '../../support/run-graphs.js';
import { useTestBox } from '../../support/test-box.js';

const t = useTestBox();
const WAIT = { timeoutMs: 60_000 };

describe('concurrency', () => {
  it('is kept over two managers, and all items are done', async () => {
    const store = t.box.withPrefix('limited');
    const other = (await t.another()).withPrefix('limited');
    let [running, most] = [0, 0];
    const handledBy = new Map<string, number>();
    const definition = (worker: string) => {
      const g = graph('limited');
      const list = g.task('list', { run: () => range(200) });
      const each = g.map('each', {
        over: list,
        concurrency: 4,
        run: async ({ item }) => {
          most = Math.max(most, ++running);
          handledBy.set(worker, (handledBy.get(worker) ?? 0) + 1);
          // Long enough for the others to begin: what is measured is how many do.
          await new Promise(setImmediate);
          await store.getTask('none');
          running--;
          return item;
        },
      });
      return g.outputs({ each });
    };
    await startWorker(store, [definition('one')], { maxTasks: 5 });
    await startWorker(other, [definition('two')], { maxTasks: 5 });
    const run = await startRun(store, definition(''), undefined);
    const { each } = await run.result(WAIT);
    expect(await each.all()).toEqual(range(200));
    expect(most).toBeLessThanOrEqual(4);
    expect(most).toBeGreaterThan(1);
    expect([...handledBy.values()].reduce((a, b) => a + b, 0)).toBe(200);
  });
});

/** The store of a worker that dies at the first return of an expander: before the database has it, or after. */
function dyingAtReturn(
  store: TaskStore,
  when: 'before' | 'after',
): { store: TaskStore; died: Promise<void> } {
  let die = (): void => {};
  const died = new Promise<void>((resolve) => {
    die = resolve;
  });
  const never = new Promise<ReturnReport[]>(() => {});
  let isDead = false;
  const dying = alteredStore(store, {
    returnTasks: async (returns) => {
      const isExpander = returns.some(({ id }) => id.endsWith('/~items'));
      if (isDead) return never;
      if (!isExpander) return store.returnTasks(returns);
      isDead = true;
      if (when === 'after') await store.returnTasks(returns);
      die();
      return never;
    },
    extendTaskDeadlines: (held, durationMs) =>
      isDead ? new Promise<string[]>(() => {}) : store.extendTaskDeadlines(held, durationMs),
    ownTasks: (request) => (isDead ? new Promise<[]>(() => {}) : store.ownTasks(request)),
  });
  return { store: dying, died };
}

describe('a worker that dies with the expander of a map', () => {
  it.each([
    ['before', 1],
    ['after', 101],
  ] as const)('%s the return is committed leaves %i of its tasks', async (when, numTasks) => {
    const store = t.namespace();
    const g = graph('dying');
    let numExpanded = 0;
    const list = g.task('list', { run: () => range(100) });
    const each = g.map('each', {
      over: list,
      if: () => {
        numExpanded++;
        return true;
      },
      run: ({ item }) => item * 2,
    });
    const definition = g.outputs({ each });
    const dying = dyingAtReturn(store, when);
    // It never stops: a dead worker does not.
    const worker = graphWorker(dying.store, [definition], {
      waitTimeMs: 50,
      maxDurationMs: 60_000,
    });
    const run = await startRun(store, definition, undefined, { runId: '1' });
    await worker.start();
    await dying.died;
    expect(await listedIds(store, { idPrefix: 'dying/1/each/' })).toHaveLength(numTasks);
    // Its leases lapse.
    await t.pool.query(`select run_timers(now() + interval '2 minutes')`);
    await startWorker(store, [definition]);
    expect(await (await run.result(WAIT)).each.all()).toEqual(range(100).map((i) => i * 2));
    expect(numExpanded).toBe(when === 'before' ? 2 : 1);
    expect(await listedIds(store, { idPrefix: 'dying/1/each/' })).toHaveLength(101);
  });
});

it('10,000 items zipped with 10,000 wait each for its own, and only the one whose item failed is skipped', async () => {
  const store = t.namespace();
  const g = graph('zipped');
  const list = g.task('list', { run: () => range(10_000) });
  const first = g.map('first', {
    over: list,
    failAfter: { count: 2 },
    run: ({ item }) => {
      if (item === 7_777) throw new PermanentError('odd');
      return item * 2;
    },
  });
  const second = g.map('second', { over: first, run: ({ item, index }) => item - index });
  const definition = g.outputs({ second });
  await startWorker(store, [definition], { workers: 500 });
  const run = await startRun(store, definition, undefined, { runId: '1' });
  const result = await run.result(WAIT);
  expect(result.second.count).toBe(9_999);
  expect(await result.second.all()).toEqual(range(10_000).filter((i) => i !== 7_777));
  expect(await store.getTask('zipped/1/second/7777')).toMatchObject({
    statusCode: 'skipped',
    status: 'skipped since "first/7777" failed: odd',
  });
  const nodes = await run.nodes();
  expect(nodes.find(({ node }) => node === 'first')?.items).toMatchObject({
    completed: 9_999,
    aborted: 1,
  });
});

describe('what tasks depend on', () => {
  it('is read in one query for all that are owned at once', async () => {
    const store = t.namespace();
    const g = graph('counted');
    const nodes = range(40).map((i) => g.task(`n${i}`, { run: () => i }));
    const [a, b] = nodes;
    if (!a || !b) throw new Error('two');
    const sums = range(40).map((i) =>
      g.task(`sum${i}`, { after: { a, b }, run: ({ deps }) => deps.a + deps.b + i }),
    );
    const definition = g.outputs({ last: sums[39] ?? a });
    const calls = { own: 0, outcomes: 0, bodies: 0 };
    const counting = alteredStore(store, {
      ownTasks: async (request) => {
        const owned = await store.ownTasks(request);
        if (owned.length > 0) calls.own++;
        return owned;
      },
      getOutcomes: (ids, options) => {
        calls.outcomes++;
        return store.getOutcomes(ids, options);
      },
      getBodies: (ids, options) => {
        calls.bodies++;
        return store.getBodies(ids, options);
      },
    });
    await startWorker(counting, [definition], { workers: 100 });
    const run = await startRun(store, definition, undefined);
    expect(await run.result(WAIT)).toEqual({ last: 40 });
    // 81 tasks: of each claim one query with results, one without for the end of the run, and the input once.
    expect(calls.outcomes).toBeLessThanOrEqual(calls.own + 1);
    expect(calls.bodies).toBe(1);
  });

  it('is read when it is asked for where it is large', async () => {
    const store = t.namespace();
    const g = graph<string>('large');
    const big = g.task('big', { run: () => range(20_000).map((i) => i * 7) });
    const many = range(5).map((i) =>
      g.task(`n${i}`, { after: { big }, run: ({ deps, input }) => deps.big.length + input.length }),
    );
    const definition = g.outputs({ last: many[4] ?? many[0] ?? g.task('none', { run: () => 0 }) });
    await startWorker(store, [definition]);
    const input = range(20_000).join('-');
    const run = await startRun(store, definition, input);
    expect(await run.result(WAIT)).toEqual({ last: 20_000 + input.length });
  });

  it('is read by the handlers themselves where reading ahead failed', async () => {
    const store = t.namespace();
    let failures = 0;
    const failing = alteredStore(store, {
      getOutcomes: (ids, options) => {
        if (options?.maxBytes === undefined) return store.getOutcomes(ids, options);
        failures++;
        return Promise.reject(new Error('out of reach'));
      },
    });
    const g = graph('unprepared');
    const a = g.task('a', { run: () => 1 });
    const b = g.task('b', { after: { a }, run: ({ deps }) => deps.a + 1 });
    const definition = g.outputs({ b });
    await startWorker(failing, [definition]);
    const run = await startRun(store, definition, undefined, { runId: '1' });
    expect(await run.result(WAIT)).toEqual({ b: 2 });
    expect(failures).toBeGreaterThan(0);
    expect(await store.getTask('unprepared/1/b')).toMatchObject({ numTries: 1 });
  });
});
