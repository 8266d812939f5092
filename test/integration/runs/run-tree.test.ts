import { describe, expect, it } from 'vitest';
import {
  cancelRun,
  graph,
  type Json,
  listRuns,
  optional,
  RunInputMismatchError,
  type RunTree,
  readRunTree,
  startRun,
  TaskNotFoundError,
} from '../../../src/index.js';
import { range, rejection } from '../../support/factories.js';
import { Gate, startWorker } from '../../support/run-graphs.js';
import { useTestBox } from '../../support/test-box.js';

const t = useTestBox();
const WAIT = { timeoutMs: 20_000 };

/** A graph with every kind of node; the items of `each` wait for the gate, and item 1 fails. */
function everyKind(gate: Gate<void>) {
  const s = graph<number>('inner');
  const twice = s.task('twice', { run: ({ input }) => input * 2 });
  const inner = s.outputs({ twice });
  const g = graph('kinds', { version: 7 });
  const list = g.task('list', { run: () => range(3) });
  const each = g.map('each', {
    over: list,
    retries: 0,
    run: async ({ index }) => {
      await gate.pass();
      if (index === 1) throw new Error('boom');
      return index;
    },
  });
  const sub = g.graph('sub', { after: { list }, graph: inner, input: () => 21 });
  const nap = g.sleep('nap', 0);
  const ok = g.event<string>('ok');
  const end = g.task('end', {
    after: { each: optional(each), sub, nap: optional(nap), ok },
    run: () => 'end',
  });
  return g.outputs({ end });
}

const shapeOf = ({ nodes }: RunTree) =>
  nodes.map(({ node, kind, statusCode }) => `${node} ${kind} ${statusCode}`);

describe('readRunTree', () => {
  it('tells nodes with their times, from the rows alone too', async () => {
    const store = t.namespace();
    const gate = new Gate<void>();
    const definition = everyKind(gate);
    const run = await startRun(store, definition, undefined, { runId: '1' });
    expect(await readRunTree(store, run.id)).toMatchObject({
      graph: 'kinds',
      version: 7,
      statusCode: 'pending',
      startedAt: null,
    });
    await startWorker(store, [definition]);
    await gate.begun;
    await store.waitFor(['kinds/1/nap', 'kinds/1/sub', 'kinds/1/ok/~gate'], WAIT);
    const tree = await readRunTree(store, run.id, definition);
    expect(shapeOf(tree)).toEqual([
      'list task completed',
      'each map in-progress',
      'sub graph completed',
      'sub/twice task completed',
      'nap sleep completed',
      'ok event pending',
      'end task pending',
    ]);
    expect(tree.statusCode).toBe('in-progress');
    expect(tree.nodes.map(({ startedAt }) => startedAt !== null)).toEqual([
      ...Array(6).fill(true),
      false,
    ]);
    gate.open();
    await run.signal('ok', 'yes');
    await run.result(WAIT);
    const ended = await readRunTree(store, run.id);
    expect(ended.statusCode).toBe('completed');
    const each = ended.nodes.find(({ node }) => node === 'each');
    expect(each).toMatchObject({
      kind: 'map',
      statusCode: 'aborted',
      items: { completed: 2, aborted: 1 },
    });
    expect(Number(each?.finishedAt)).toBeGreaterThanOrEqual(Number(each?.startedAt));
    // Without the definition nodes come by when they began, and a sleep is a task.
    expect(shapeOf(ended).sort()).toEqual(
      shapeOf(await readRunTree(store, run.id, definition))
        .map((line) => line.replace(' sleep ', ' task '))
        .sort(),
    );
  });

  it('puts what was spawned below the node that did', async () => {
    const store = t.namespace();
    const g = graph('top');
    const definition = g.outputs({ x: g.task('x', { run: () => 1 }) });
    await startRun(store, definition, undefined, { runId: '1' });
    const spawned = 'top/1/x/~spawned';
    await store.insertTasks([
      { id: `${spawned}/10`, action: 'other@2.5ad0/~run', totalDependencies: 1 },
      { id: `${spawned}/2`, action: 'other@2.5ad0/~run', totalDependencies: 1 },
      { id: `${spawned}/2/y`, action: 'other@2.5ad0/y', toSignalAfter: [`${spawned}/2`] },
    ]);
    expect(shapeOf(await readRunTree(store, 'top/1', definition))).toEqual([
      'x task pending',
      'x/~spawned/2 graph pending',
      'x/~spawned/2/y task pending',
      'x/~spawned/10 graph pending',
    ]);
  });

  it('says so where there is no such run, and where it is a task', async () => {
    const store = t.namespace();
    await store.insertTasks([{ id: 'a', action: 'work' }]);
    expect(await rejection(readRunTree(store, 'etl/1'))).toBeInstanceOf(TaskNotFoundError);
    expect(await rejection(readRunTree(store, 'a'))).toMatchObject({ code: 'INVALID_OPTION' });
  });
});

describe('listRuns', () => {
  it('gives runs of all graphs or of one, within a namespace, by state', async () => {
    const store = t.namespace();
    const start = async (name: string, runId: string) => {
      const g = graph(name, { version: 2 });
      await startRun(store, g.outputs({ a: g.task('a', { run: () => 1 }) }), undefined, { runId });
    };
    await start('a', '1');
    await start('b', '2');
    await start('a', '3');
    expect((await listRuns(store)).map(({ id }) => id)).toEqual(['a/3', 'b/2', 'a/1']);
    expect(await cancelRun(store, 'a/3')).toBe(2);
    expect(await listRuns(store, { graph: 'a', statusCodes: ['cancelled'] })).toMatchObject([
      { id: 'a/3', graph: 'a', version: 2, statusCode: 'cancelled', finishedAt: expect.any(Date) },
    ]);
    expect(await listRuns(store, { limit: 1 })).toHaveLength(1);
    expect(await rejection(cancelRun(store, 'a/none'))).toBeInstanceOf(TaskNotFoundError);
  });
});

describe('startRun with resume', () => {
  it('gives the run that is there, unless it has another input', async () => {
    const store = t.namespace();
    const g = graph<Json>('again');
    const definition = g.outputs({ a: g.task('a', { run: () => 1 }) });
    const options = { runId: '1', resume: true };
    const first = await startRun(store, definition, { a: [1] }, options);
    const second = await startRun(store, definition, { a: [1] }, options);
    expect(second.id).toBe(first.id);
    const error = await rejection(startRun(store, definition, { a: [2] }, options));
    expect(error).toBeInstanceOf(RunInputMismatchError);
    expect(error).toMatchObject({ run: 'again/1', idempotencyKey: null });
  });
});
