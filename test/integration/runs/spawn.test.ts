import { describe, expect, it } from 'vitest';
import {
  type Graph,
  graph,
  InvalidValueError,
  openRun,
  optional,
  PermanentError,
  RunCancelledError,
  type RunEvent,
  settled,
  startRun,
  typed,
} from '../../../src/index.js';
import { Faults, withFaults } from '../../../src/testing/index.js';
import { eventually, listedIds, range, rejection } from '../../support/factories.js';
import { Gate, startWorker } from '../../support/run-graphs.js';
import { useTestBox } from '../../support/test-box.js';

const t = useTestBox();
const WAIT = { timeoutMs: 20_000 };

/** A graph of two nodes that doubles a number; it fails where `broken` has it. */
function doubling(broken: ReadonlySet<number> = new Set()) {
  const g = graph('double', { input: typed<{ n: number }>({ required: ['n'] }) });
  const first = g.task('first', {
    run: ({ input }) => {
      if (broken.has(input.n)) throw new PermanentError(`${input.n} is broken`);
      return input.n;
    },
  });
  const twice = g.task('twice', { after: { first }, run: ({ deps }) => deps.first * 2 });
  return g.outputs({ twice });
}

/** A graph whose task spawns a doubling of each number below its input. */
function spreading(page: Graph<{ n: number }, { twice: number }>) {
  const g = graph<number>('spread');
  const crawl = g.task('crawl', {
    spawns: [page],
    run: async ({ input, spawn }) => {
      const spawned = await Promise.all(range(input).map((n) => spawn(page, { n })));
      return spawned.map(({ id }) => id);
    },
  });
  const after = g.task('after', { after: { crawl }, run: ({ deps }) => deps.crawl.length });
  return g.outputs({ crawl, after });
}

/** Of runs within runs: how deep they go, how many there are at each level, and which place of which this is. */
interface Nest {
  depth: number;
  width: number;
  place?: string;
}

/** A graph that spawns itself until the depth of its input is used up. */
function nesting(perform: (place: string) => void = () => {}) {
  const g = graph<Nest>('nest');
  const down = g.task('down', {
    spawns: () => [nest],
    run: async ({ input: { depth, width, place = '' }, spawn }) => {
      perform(place);
      if (depth === 0) return 0;
      const each = range(width).map((i) =>
        spawn(nest, { depth: depth - 1, width, place: place + i }),
      );
      return (await Promise.all(each)).length;
    },
  });
  const nest: Graph<Nest, { down: number }> = g.outputs({ down });
  return nest;
}

describe('a task that spawns', () => {
  it('ends when the runs that it spawned have ended, and its value is what its handler returned', async () => {
    const store = t.namespace();
    const running = new Gate<number>();
    const slow = graph('slow');
    const wait = slow.task('wait', { run: () => running.pass() });
    const page = slow.outputs({ wait });
    const g = graph('parent');
    const crawl = g.task('crawl', {
      spawns: [page],
      run: async ({ spawn }) => (await spawn(page)).id,
    });
    const definition = g.outputs({ crawl });
    // Knowing the parent is knowing what it spawns.
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined, { runId: '1' });
    await running.begun;
    expect(await run.nodes()).toMatchObject([
      { node: 'crawl', statusCode: 'in-progress', spawned: { pending: 1, completed: 0 } },
    ]);
    expect((await store.getTask('parent/1/crawl/~work'))?.statusCode).toBe('completed');
    expect((await store.getTask('parent/1/crawl'))?.statusCode).toBe('pending');
    running.open(7);
    const { crawl: id } = await run.result(WAIT);
    expect(id).toBe('parent/1/crawl/~spawned/0');
    expect(await openRun(store, page, id).result()).toEqual({ wait: 7 });
    expect(await openRun(store, page, id).nodes()).toMatchObject([{ statusCode: 'completed' }]);
    expect(await run.nodes()).toMatchObject([
      { node: 'crawl', statusCode: 'completed', spawned: { completed: 1 } },
    ]);
    // The node, the run that it spawned, and that one's node.
    expect((await run.status()).counts).toMatchObject({ completed: 3, pending: 0 });
  });

  it('ends when all below it has: three levels', async () => {
    const store = t.namespace();
    const running = new Gate<number>();
    const lowest = graph('lowest');
    const end = lowest.task('end', { run: () => running.pass() });
    const third = lowest.outputs({ end });
    const middle = graph('middle');
    const go = middle.task('go', {
      spawns: [third],
      run: async ({ spawn }) => (await spawn(third)).id,
    });
    const second = middle.outputs({ go });
    const top = graph('top');
    const begin = top.task('begin', {
      spawns: [second],
      run: async ({ spawn }) => (await spawn(second)).id,
    });
    const definition = top.outputs({ begin });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined, { runId: '1' });
    await running.begun;
    const pending = await store.getTasks(['top/1', 'top/1/begin', 'top/1/begin/~spawned/0/go']);
    expect(pending.map(({ statusCode }) => statusCode)).toEqual(['pending', 'pending', 'pending']);
    running.open(1);
    await run.result(WAIT);
    const inner = 'top/1/begin/~spawned/0/go/~spawned/0';
    expect(await openRun(store, third, inner).result()).toEqual({ end: 1 });
  });

  it('may spawn runs of its own graph, as deep as the input says', async () => {
    const store = t.namespace();
    const nest = nesting();
    await startWorker(store, [nest]);
    const run = await startRun(store, nest, { depth: 4, width: 2 }, { runId: '1' });
    expect(await run.result(WAIT)).toEqual({ down: 2 });
    expect(await run.nodes()).toMatchObject([{ node: 'down', spawned: { completed: 30 } }]);
    const ids = await listedIds(store);
    // A run, a handler and a join for each of 1 + 2 + 4 + 8 + 16.
    expect(ids).toHaveLength(3 * 31);
    const deepest = `nest/1${'/down/~spawned/1'.repeat(4)}`;
    expect(await openRun(store, nest, deepest).result()).toEqual({ down: 0 });
    expect(await openRun(store, nest, deepest).nodes()).toMatchObject([
      { spawned: { completed: 0 } },
    ]);
  });

  it('may spawn within a sub-graph', async () => {
    const store = t.namespace();
    const g = graph('outer');
    const sub = g.graph('sub', { graph: spreading(doubling()), input: () => 2 });
    const definition = g.outputs({ sub });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined, { runId: '1' });
    const { sub: outputs } = await run.result(WAIT);
    expect(outputs).toEqual({
      crawl: range(2).map((i) => `outer/1/sub/crawl/~spawned/${i}`),
      after: 2,
    });
  });

  it('may spawn none, or a thousand', async () => {
    const store = t.namespace();
    const page = doubling();
    const definition = spreading(page);
    await startWorker(store, [definition], { workers: 500 });
    const none = await startRun(store, definition, 0);
    expect(await none.result(WAIT)).toEqual({ crawl: [], after: 0 });
    const run = await startRun(store, definition, 1_000);
    const { crawl, after } = await run.result(WAIT);
    expect(after).toBe(1_000);
    const last = openRun(store, page, crawl[999] ?? '');
    expect(await last.result()).toEqual({ twice: 1_998 });
    expect((await run.status()).counts).toMatchObject({ completed: 3_002, pending: 0 });
  });

  it('spawns one run for a key, with the input that came first', async () => {
    const store = t.namespace();
    const page = doubling();
    const g = graph('keyed');
    const crawl = g.task('crawl', {
      spawns: [page],
      run: async ({ spawn }) => [
        await spawn(page, { n: 1 }, { key: 'a' }),
        await spawn(page, { n: 2 }, { key: 'a' }),
        await spawn(page, { n: 3 }, { key: 'b', priority: 7, queue: 'other' }),
      ],
    });
    const definition = g.outputs({ crawl });
    await startWorker(store, [definition], { queues: ['default', 'other'] });
    const { crawl: spawned } = await (await startRun(store, definition, undefined)).result(WAIT);
    const ids = spawned.map(({ id }) => id);
    expect(ids[1]).toBe(ids[0]);
    expect(await openRun(store, page, ids[0] ?? '').result()).toEqual({ twice: 2 });
    expect(await openRun(store, page, ids[2] ?? '').result()).toEqual({ twice: 6 });
    expect(await store.getTask(`${ids[2]}/first`)).toMatchObject({ priority: 7, queue: 'other' });
  });

  it('starts from nothing at each try', async () => {
    const store = t.namespace();
    const page = doubling();
    const g = graph('retried');
    const crawl = g.task('crawl', {
      spawns: [page],
      run: async ({ spawn, attempt }) => {
        await spawn(page, { n: attempt });
        if (attempt < 3) throw new Error('not yet');
        return attempt;
      },
    });
    const definition = g.outputs({ crawl });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined, { runId: '1' });
    expect(await run.result(WAIT)).toEqual({ crawl: 3 });
    const bodies = await store.getBodies(range(3).map((i) => `retried/1/crawl/~spawned/${i}`));
    expect(bodies).toMatchObject([{ body: { input: { n: 3 } } }]);
  });
});

describe('a spawn is refused', () => {
  /** A task that spawns what it is told, and the error that its handler sees. */
  function refusing(spawning: boolean) {
    const page = doubling();
    const errors: unknown[] = [];
    const g = graph('refused');
    const crawl = g.task('crawl', {
      retries: 0,
      ...(spawning ? { spawns: [page] } : {}),
      run: async ({ spawn }) => {
        // @ts-expect-error: n is missing
        errors.push(await rejection(spawn(page, {})));
        if (spawning) await spawn(page, { n: 1 });
        return errors.length;
      },
    });
    return { definition: g.outputs({ crawl }), errors };
  }

  it('for an input that does not fit: the handler may go on without it', async () => {
    const store = t.namespace();
    const { definition, errors } = refusing(true);
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined, { runId: '1' });
    expect(await run.result(WAIT)).toEqual({ crawl: 1 });
    expect(errors).toMatchObject([expect.any(InvalidValueError)]);
    expect(await listedIds(store, { idPrefix: 'refused/1/crawl/~spawned/0' })).toHaveLength(3);
  });

  it('for a graph that the node does not declare', async () => {
    const store = t.namespace();
    const { definition, errors } = refusing(false);
    await startWorker(store, [definition]);
    await (await startRun(store, definition, undefined)).result(WAIT);
    expect(errors).toMatchObject([
      expect.objectContaining({
        code: 'PERMANENT',
        message: expect.stringContaining('does not declare that it spawns graph "double"'),
      }),
    ]);
  });

  it('also if the handler did not wait for it, and then the try has failed', async () => {
    const store = t.namespace();
    const page = doubling();
    const g = graph('careless');
    const crawl = g.task('crawl', {
      retries: 0,
      spawns: [page],
      run: async ({ spawn, heartbeat }) => {
        void spawn(page, { n: 1 });
        // @ts-expect-error: n is missing
        void spawn(page, {});
        await heartbeat();
        return 1;
      },
    });
    const definition = g.outputs({ crawl });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined, { runId: '1' });
    expect(await rejection(run.result(WAIT))).toMatchObject({
      failures: [{ node: 'crawl', status: expect.stringContaining('must have required') }],
    });
    expect(await listedIds(store, { idPrefix: 'careless/1/crawl/~spawned' })).toEqual([]);
  });
});

describe('a spawned run that fails', () => {
  it('fails the node, which names the first, and the run, which names the nodes in it', async () => {
    const store = t.namespace();
    const definition = spreading(doubling(new Set([2, 11])));
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, 12, { runId: '1' });
    const error = await rejection(run.result(WAIT));
    expect(error).toMatchObject({
      failures: [
        { node: 'crawl/~spawned/2/first', status: '2 is broken' },
        { node: 'crawl/~spawned/11/first', status: '11 is broken' },
      ],
    });
    const status =
      'spawned run spread/1/crawl/~spawned/2 failed: "first" failed: 2 is broken; and 1 more';
    expect(await run.nodes()).toMatchObject([
      { node: 'crawl', statusCode: 'aborted', status, spawned: { completed: 10, aborted: 2 } },
      { node: 'after', status: `skipped since "crawl" failed: ${status}` },
    ]);
    // What the handler returned stays readable.
    expect((await store.getTask('spread/1/crawl/~work'))?.result).toHaveLength(12);
  });

  it('fails every node above it', async () => {
    const store = t.namespace();
    const g = graph<number>('deep');
    const down = g.task('down', {
      spawns: () => [deep],
      run: async ({ input, spawn }) => {
        if (input === 0) throw new PermanentError('too deep');
        await spawn(deep, input - 1);
        return input;
      },
    });
    const deep: Graph<number, { down: number }> = g.outputs({ down });
    await startWorker(store, [deep]);
    const run = await startRun(store, deep, 2, { runId: '1' });
    expect(await rejection(run.result(WAIT))).toMatchObject({
      failures: [{ node: 'down/~spawned/0/down/~spawned/0/down', status: 'too deep' }],
    });
    expect((await run.status()).counts).toMatchObject({ aborted: 5, completed: 0 });
  });

  it('is a failed node to what depends on it by optional, settled', async () => {
    const store = t.namespace();
    const page = doubling(new Set([0]));
    const g = graph('handled');
    const crawl = g.task('crawl', {
      spawns: [page],
      run: async ({ spawn }) => (await spawn(page, { n: 0 })).id,
    });
    const a = g.task('a', {
      after: { crawl: optional(crawl) },
      run: ({ deps }) => deps.crawl ?? '-',
    });
    const b = g.task('b', {
      after: { crawl: settled(crawl) },
      run: ({ deps }) => deps.crawl.status,
    });
    const definition = g.outputs({ a, b });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined);
    expect(await run.result(WAIT)).toEqual({ a: '-', b: 'failed' });
  });

  it('is one that was cancelled, too', async () => {
    const store = t.namespace();
    const definition = spreading(doubling());
    const worker = await startWorker(store, [definition]);
    const running = new Gate<void>();
    worker.use(async (task, _context, next) => {
      if (task.id.endsWith('~spawned/1/first')) await running.pass();
      return next();
    });
    const run = await startRun(store, definition, 2, { runId: '1' });
    await running.begun;
    const page = doubling();
    const spawned = openRun(store, page, 'spread/1/crawl/~spawned/1');
    await spawned.cancel({ status: 'not wanted' });
    running.open();
    await rejection(run.result(WAIT));
    expect(await run.nodes()).toMatchObject([
      { status: 'spawned run spread/1/crawl/~spawned/1 was cancelled: not wanted' },
      {},
    ]);
  });
});

describe('the whole of a run', () => {
  it('is cancelled, what its nodes spawned included', async () => {
    const store = t.namespace();
    const running = new Gate<number>();
    const slow = graph('slow');
    const wait = slow.task('wait', { run: () => running.pass() });
    const page = slow.outputs({ wait });
    const g = graph('parent');
    const crawl = g.task('crawl', {
      spawns: [page],
      run: async ({ spawn }) => (await Promise.all(range(30).map(() => spawn(page)))).length,
    });
    const definition = g.outputs({ crawl });
    await startWorker(store, [definition], { workers: 3 });
    const run = await startRun(store, definition, undefined);
    await running.begun;
    await run.cancel();
    expect(await rejection(run.result(WAIT))).toBeInstanceOf(RunCancelledError);
    const { counts } = await run.status();
    expect(counts).toMatchObject({ completed: 0, pending: 0, 'in-progress': 0, cancelled: 61 });
    running.open(1);
    expect(await run.delete()).toBe(63);
    expect(await listedIds(store)).toEqual([]);
  });

  it('says what a node that spawns waits for, and is cleaned up as one', async () => {
    const store = t.namespace();
    const running = new Gate<void>();
    const page = doubling();
    const definition = spreading(page);
    const worker = await startWorker(store, [definition]);
    worker.use(async (task, _context, next) => {
      if (task.id.endsWith('/twice')) await running.pass();
      return next();
    });
    const run = await startRun(store, definition, 2, { runId: '1' });
    await running.begun;
    const { reasons } = await run.why('crawl');
    expect(JSON.stringify(reasons)).toContain('spread/1/crawl/~spawned/0');
    expect(await store.cleanTasks({ minAgeMs: 0 })).toBe(0);
    running.open();
    await run.result(WAIT);
    const all = await listedIds(store);
    expect(all).toHaveLength(4 + 2 * 3);
    expect(await store.cleanTasks({ minAgeMs: 0 })).toBe(all.length);
    expect(await listedIds(store)).toEqual([]);
  });

  it('is told of: a node that spawns goes on with its runs', async () => {
    const store = t.namespace();
    const running = new Gate<void>();
    const definition = spreading(doubling());
    const worker = await startWorker(store, [definition]);
    worker.use(async (task, _context, next) => {
      if (task.id.endsWith('/twice')) await running.pass();
      return next();
    });
    const run = await startRun(store, definition, 3);
    const seen: RunEvent[] = [];
    for await (const event of run.events({ intervalMs: 50 })) {
      seen.push(event);
      if (event.type === 'progress' && event.spawned?.pending) running.open();
    }
    const told = seen.map((event) =>
      'node' in event ? `${event.type} ${event.node}` : event.type,
    );
    expect(told.filter((one) => !one.startsWith('progress'))).toEqual([
      'started crawl',
      'ended crawl',
      'started after',
      'ended after',
      'run-ended',
    ]);
    expect(seen.filter(({ type }) => type === 'progress').at(-1)).toMatchObject({
      node: 'crawl',
      spawned: { completed: 3 },
    });
  });
});

describe('a worker that dies', () => {
  it('between the end of a handler and its return leaves nothing spawned; the next try spawns all', async () => {
    const store = t.namespace();
    const definition = spreading(doubling());
    const faults = new Faults();
    faults.holdNext('returnTasks', new Promise(() => {}));
    const doomed = await startWorker(withFaults(store, faults), [definition], {
      maxDurationMs: 1_000,
      heartbeatMs: 100,
    });
    const run = await startRun(store, definition, 20, { runId: '1' });
    await eventually(() => expect(faults.numCalls('returnTasks')).toBe(1));
    faults.loseConnection();
    await doomed.stop({ timeoutMs: 0 });
    const idPrefix = 'spread/1/crawl/~spawned';
    expect(await listedIds(store, { idPrefix })).toEqual([]);
    await startWorker(store, [definition]);
    expect(await run.result(WAIT)).toMatchObject({ after: 20 });
    expect(await listedIds(store, { idPrefix })).toHaveLength(60);
  });

  it('before it heard of its return has spawned all, once', async () => {
    const store = t.namespace();
    const definition = spreading(doubling());
    const faults = new Faults();
    faults.failNext('returnTasks', undefined, { when: 'after' });
    await startWorker(withFaults(store, faults), [definition]);
    const run = await startRun(store, definition, 20, { runId: '1' });
    expect(await run.result(WAIT)).toMatchObject({ after: 20 });
    expect(await listedIds(store, { idPrefix: 'spread/1/crawl/~spawned' })).toHaveLength(60);
  });
});

describe('a rerun', () => {
  it('of a node that spawns deletes what it spawned, and spawns anew, also less', async () => {
    const store = t.namespace();
    t.allow({ signalsMayOutnumberSenders: true });
    const page = doubling();
    let size = 3;
    const g = graph('again');
    const crawl = g.task('crawl', {
      spawns: [page],
      run: async ({ spawn }) =>
        (await Promise.all(range(size).map((n) => spawn(page, { n: n + size * 100 })))).length,
    });
    const definition = g.outputs({ crawl });
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, undefined, { runId: '1' });
    await run.result(WAIT);
    for (size of [2, 0, 12]) {
      expect(await run.rerun({ from: ['crawl'] })).toEqual({ reruns: ['crawl'], keeps: [] });
      expect(await run.result(WAIT)).toEqual({ crawl: size });
      const idPrefix = 'again/1/crawl/~spawned/';
      expect(await listedIds(store, { idPrefix })).toHaveLength(size * 3);
    }
    // Its input is the new one, also where the worker knew the old.
    const spawned = openRun(store, page, 'again/1/crawl/~spawned/1');
    expect(await spawned.result()).toEqual({ twice: 2_402 });
  });

  it('from failed goes on within the spawned runs that failed, and keeps the others', async () => {
    const store = t.namespace();
    const broken = new Set([1]);
    const definition = spreading(doubling(broken));
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, 3, { runId: '1' });
    await rejection(run.result(WAIT));
    const kept = ['spread/1/crawl/~work', 'spread/1/crawl/~spawned/0', 'spread/1/crawl/~spawned/2'];
    const before = await store.getTasks(kept);
    broken.clear();
    const failed = 'crawl/~spawned/1';
    const report = {
      reruns: ['crawl', 'after', failed, `${failed}/first`, `${failed}/twice`],
      keeps: [],
    };
    expect(await run.rerun({ from: 'failed', preview: true })).toEqual(report);
    expect(await run.rerun({ from: 'failed' })).toEqual(report);
    expect(await run.result(WAIT)).toMatchObject({ after: 3 });
    expect(await store.getTasks(kept)).toEqual(before);
    expect(await openRun(store, doubling(), `spread/1/${failed}`).result()).toEqual({ twice: 2 });
  });

  it('from failed spawns anew what failed in a shape that is no longer known', async () => {
    const store = t.namespace();
    t.allow({ signalsMayOutnumberSenders: true });
    const old = spreading(doubling(new Set([1])));
    const worker = await startWorker(store, [old]);
    const run = await startRun(store, old, 3, { runId: '1' });
    await rejection(run.result(WAIT));
    await worker.stop();
    const g = graph('double', { input: typed<{ n: number }>({ required: ['n'] }) });
    const twice = g.task('twice', { run: ({ input }) => input.n * 2 });
    const known = spreading(g.outputs({ twice }));
    await startWorker(store, [known]);
    const again = openRun(store, known, '1');
    expect(await again.rerun({ from: 'failed' })).toEqual({
      reruns: ['crawl', 'after'],
      keeps: [],
    });
    expect(await again.result(WAIT)).toMatchObject({ after: 3 });
    expect(await openRun(store, known, 'spread/1/crawl/~spawned/1').result()).toEqual({ twice: 2 });
  });

  it('of nodes in spawned runs, of whole ones, and of what spawned them: nothing is done twice', async () => {
    const store = t.namespace();
    t.allow({ signalsMayOutnumberSenders: true });
    const performed: string[] = [];
    const definition = nesting((place) => performed.push(place));
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, { depth: 2, width: 2 }, { runId: '1' });
    await run.result(WAIT);
    const outer = 'down/~spawned/0';
    const inner = `${outer}/down/~spawned/1`;
    for (const [from, report, places] of [
      [[`${inner}/down`], ['down', inner, `${inner}/down`, outer, `${outer}/down`], ['01']],
      [[inner], ['down', inner, `${inner}/down`, outer, `${outer}/down`], ['01']],
      [
        [outer, `${inner}/down`],
        ['down', outer, `${outer}/down`],
        ['0', '00', '01'],
      ],
    ] as const) {
      performed.length = 0;
      const { reruns, keeps } = await run.rerun({ from });
      expect([...reruns].sort()).toEqual([...report].sort());
      expect(keeps).toEqual([]);
      await run.result(WAIT);
      expect(performed.sort()).toEqual(places);
    }
    expect(await rejection(run.rerun({ from: [`${inner}/other`] }))).toMatchObject({
      code: 'UNKNOWN_NODE',
    });
    expect(await rejection(run.rerun({ from: ['down/~spawned/9'] }))).toMatchObject({
      code: 'UNKNOWN_NODE',
    });
  });

  it('of a spawned run by itself goes on from its failed nodes, and takes along what waits for it', async () => {
    const store = t.namespace();
    const broken = new Set([1]);
    const page = doubling(broken);
    const definition = spreading(page);
    await startWorker(store, [definition]);
    const run = await startRun(store, definition, 3, { runId: '1' });
    await rejection(run.result(WAIT));
    broken.clear();
    const spawned = openRun(store, page, 'spread/1/crawl/~spawned/1');
    expect(await spawned.rerun({ from: 'failed' })).toEqual({
      reruns: ['first', 'twice'],
      keeps: [],
    });
    expect(await run.result(WAIT)).toMatchObject({ after: 3 });
    expect(await spawned.result()).toEqual({ twice: 2 });
  });
});
