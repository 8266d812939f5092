import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { InvalidBodyError } from '../../../src/errors.js';
import { copyColumns, rowValues } from '../../../src/store/copy-row.js';
import { type PrepareOptions, prepareInsert } from '../../../src/store/prepare-insert.js';
import type { PreparedInsert } from '../../../src/store/prepared-insert.js';
import type { TaskInput } from '../../../src/store/task-store.js';
import { countOpenFiles } from '../../support/open-files.js';
import { randomNumbers } from '../../support/random-numbers.js';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prepare-insert-test-'));
});
afterAll(() => rm(directory, { recursive: true }));

function task(id: string, ...toSignalAfter: string[]): TaskInput {
  return { id, action: 'copy', toSignalAfter };
}

function* closable(tasks: readonly TaskInput[], onClosed: () => void): Generator<TaskInput> {
  try {
    yield* tasks;
  } finally {
    onClosed();
  }
}

/** Small enough blocks that each row is one, all but the first on disk. */
function onDisk(): PrepareOptions {
  return { spool: { directory, blockBytes: 1, memoryBytes: 1 } };
}

/** With blocks of one row each. */
async function columnsOf(prepared: PreparedInsert): Promise<Record<string, Buffer | null>[]> {
  const rows = [];
  for await (const row of prepared.rows()) {
    const values = rowValues(row);
    rows.push(Object.fromEntries(copyColumns.map((column, i) => [column, values[i] ?? null])));
  }
  return rows;
}

async function totalsOf(tasks: readonly TaskInput[]): Promise<(number | undefined)[]> {
  await using prepared = await prepareInsert(tasks, onDisk());
  const rows = await columnsOf(prepared);
  return rows.map((row) => row.total_dependencies?.readInt32BE());
}

test('a total is the number of tasks that list the task, wherever they stand in the batch', async () => {
  const tasks = [task('c'), task('a', 'b', 'c'), task('b', 'c'), task('d', 'c')];
  expect(await totalsOf(tasks)).toEqual([3, 0, 1, 0]);
});

test('a target listed twice by one task counts once and is written once', async () => {
  const tasks = [task('a', 'b', 'b', 'b'), task('b')];
  expect(await totalsOf(tasks)).toEqual([0, 1]);
  await using prepared = await prepareInsert(tasks, onDisk());
  const [row] = await columnsOf(prepared);
  expect(row?.to_signal_after?.readInt32BE(12)).toBe(1);
});

test('a total that is given is kept, whatever lists the task', async () => {
  const tasks = [task('a', 'b'), { ...task('b', 'c'), totalDependencies: 5 }];
  expect(await totalsOf([...tasks, { ...task('c'), totalDependencies: 0 }])).toEqual([0, 5, 0]);
});

test('tasks that wait for nothing and tasks with a unique key are told apart, in pages', async () => {
  const given = { ...task('given'), totalDependencies: 1 };
  const keyed = { ...task('keyed'), uniqueKey: 'k' };
  const tasks = [task('a', 'b', 'keyed'), task('b'), keyed, given, task('c'), task('last')];
  await using prepared = await prepareInsert(tasks);
  expect([...prepared.starts(2)]).toEqual([['a', 'c'], ['last']]);
  expect([...prepared.keyed(2)]).toEqual([['keyed']]);
});

test('targets outside the batch come in pages, in the order of their ids, with how many list them', async () => {
  const tasks = [task('a', 'z', 'y', 'b'), task('b', 'z', 'x')];
  await using prepared = await prepareInsert(tasks);
  expect([...prepared.outsideTargets(2)]).toEqual([
    { ids: ['x', 'y'], counts: [1, 1] },
    { ids: ['z'], counts: [2] },
  ]);
});

test('ids come in the order in which they were read', async () => {
  await using prepared = await prepareInsert([task('z'), task('a', 'z')]);
  expect([...prepared.ids()]).toEqual(['z', 'a']);
});

test('rows kept on disk and rows kept in memory are the same COPY', async () => {
  const tasks = Array.from({ length: 3000 }, (_, i) => task(`t${i}`, `t${i + 1}`));
  const outputs = await Promise.all(
    [{}, onDisk()].map(async (options) => {
      await using prepared = await prepareInsert(tasks, options);
      const chunks = [];
      for await (const chunk of prepared.copyData()) chunks.push(chunk);
      return Buffer.concat(chunks);
    }),
  );
  expect(outputs[0]?.length).toBeGreaterThan(3000 * 50);
  expect(outputs[0]?.equals(outputs[1] ?? Buffer.alloc(0))).toBe(true);
});

test('a source without tasks makes an insert of none', async () => {
  await using prepared = await prepareInsert([]);
  expect(prepared.count).toBe(0);
  expect([...prepared.starts(10), ...prepared.keyed(10)]).toEqual([]);
});

test('a source is read once, in order, whether it is asynchronous or not', async () => {
  let reads = 0;
  const source = {
    async *[Symbol.asyncIterator]() {
      reads++;
      yield* [task('a', 'b'), task('b')];
    },
  };
  await using prepared = await prepareInsert(source);
  expect([...prepared.ids()]).toEqual(['a', 'b']);
  expect(reads).toBe(1);
});

test('a long source that never waits lets timers run', async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const source = (async function* () {
    for (let i = 0; i < 20_000; i++) yield task(`t${i}`);
  })();
  await using prepared = await prepareInsert(source);
  clearInterval(timer);
  expect(prepared.count).toBe(20_000);
  expect(ticks).toBeGreaterThan(2);
});

test('a source that throws ends the insert with its error, and no file stays open', async () => {
  const failure = new Error('source');
  const source = (function* () {
    for (let i = 0; i < 10; i++) yield task(`t${i}`);
    throw failure;
  })();
  await expect(prepareInsert(source, onDisk())).rejects.toBe(failure);
  expect(await countOpenFiles(directory)).toBe(0);
});

test.each([
  ['a task that is not valid', [task('a'), task('b'), task('c'), task('')], 'INVALID_TASK'],
  ['a duplicate', [task('a'), task('b'), task('c'), task('a')], 'DUPLICATE_TASK'],
  ['a cycle', [task('a', 'b'), task('b', 'c'), task('c', 'a')], 'CYCLE'],
])('%s ends the insert, and no file stays open', async (_, tasks, code) => {
  await expect(prepareInsert(tasks, onDisk())).rejects.toMatchObject({ code });
  expect(await countOpenFiles(directory)).toBe(0);
});

test('a source whose task is not valid is closed', async () => {
  const onClosed = vi.fn();
  const source = closable([task(''), task('a')], onClosed);
  await expect(prepareInsert(source)).rejects.toMatchObject({ id: '#0', field: 'id' });
  expect(onClosed).toHaveBeenCalledOnce();
});

test.each([null, undefined, 5, { length: 1 }])('%j is no source of tasks', async (source) => {
  const inserting: Promise<unknown> = Reflect.apply(prepareInsert, undefined, [source]);
  await expect(inserting).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'tasks' });
});

test('validateBody sees the body of every task with an action, and its error ends the insert', async () => {
  const seen: unknown[] = [];
  const validateBody = (action: string, id: string, body: unknown) => {
    seen.push([action, id, body]);
    if (id === 'c') throw new InvalidBodyError(id, [{ path: '/n', message: 'must be a number' }]);
  };
  const milestone = { id: 'b', action: null, body: 2 };
  const tasks = [{ ...task('a'), body: { n: 1 } }, milestone, task('c'), task('d')];
  const inserting = prepareInsert(tasks, { validateBody });
  await expect(inserting).rejects.toMatchObject({ code: 'INVALID_BODY', id: 'c' });
  expect(seen).toEqual([
    ['copy', 'a', { n: 1 }],
    ['copy', 'c', null],
  ]);
});

describe('a long source that never waits', () => {
  const inOrder = () => Array.from({ length: 3_000 }, (_, i) => task(`t${i}`, `t${i + 1}`));

  test('is read to its end while its rows are given out', async () => {
    const tasks = [...inOrder(), task('t3000')];
    await using prepared = await prepareInsert(tasks, { readFirst: 1_000 });
    expect([prepared.count, prepared.isRead]).toEqual([1_000, false]);
    const counts = [];
    for await (const _ of prepared.rows()) counts.push(prepared.count);
    expect(counts[0]).toBeLessThan(3_001);
    expect([prepared.count, prepared.isRead]).toEqual([3_001, true]);
    expect([...prepared.belated(10), ...prepared.outsideTargets(10)]).toEqual([]);
  });

  test('is read before where tasks stand behind those that they signal', async () => {
    await using prepared = await prepareInsert(inOrder().reverse(), { readFirst: 1_000 });
    expect([prepared.count, prepared.isRead]).toEqual([3_000, true]);
  });

  test('has its totals corrected that were given out too early', async () => {
    const [random, count] = [randomNumbers(7), 4_000];
    // Edges lead from t<i> to t<more than i>; one task of twenty stands anywhere, the others in the order of their numbers.
    const places = Array.from({ length: count }, (_, i) => (random(20) === 0 ? random(count) : i));
    const order = [...places.keys()].sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
    const tasks = order.map((i) => {
      const targets = Array.from({ length: 3 }, () => i + 1 + random(500));
      return task(`t${i}`, ...targets.filter((n) => n < count).map((n) => `t${n}`));
    });
    const expected = new Map(tasks.map(({ id }) => [id, 0]));
    for (const { toSignalAfter = [] } of tasks) {
      for (const id of new Set(toSignalAfter)) expected.set(id, (expected.get(id) ?? 0) + 1);
    }

    await using prepared = await prepareInsert(tasks, { readFirst: 500, ...onDisk() });
    const seen = new Map<string, number>();
    for (const { id, total_dependencies } of await columnsOf(prepared)) {
      seen.set(String(id), total_dependencies?.readInt32BE() ?? -1);
    }
    const pages = [...prepared.belated(100)];
    expect(pages.length).toBeGreaterThan(0);
    for (const { ids, counts } of pages) {
      for (const [i, id] of ids.entries()) seen.set(id, counts[i] ?? -1);
    }
    expect(seen).toEqual(expected);
    // Given out once more, all is known.
    await columnsOf(prepared);
    expect([...prepared.belated(100)]).toEqual([]);
  });

  test('with a fault further on rejects when that is read, and each time after; then it is closed', async () => {
    const onClosed = vi.fn();
    const source = closable([...inOrder(), task('')], onClosed);
    const prepared = await prepareInsert(source, { readFirst: 1_000 });
    for (let time = 0; time < 2; time++) {
      await expect(columnsOf(prepared)).rejects.toMatchObject({ id: '#3000' });
      await expect(prepared.readAll()).rejects.toMatchObject({ id: '#3000' });
    }
    expect(() => [...prepared.starts(10)]).toThrow('not been read');
    await prepared.dispose();
    expect(onClosed).toHaveBeenCalledOnce();
  });

  test('is given out anew from its beginning, though its rows were not all taken the first time', async () => {
    const tasks = [...inOrder(), task('t3000', 't3001'), task('t3001')];
    const options = { readFirst: 500, spool: { directory, blockBytes: 500, memoryBytes: 2_000 } };
    await using prepared = await prepareInsert(tasks, options);
    const first = prepared.copyData();
    for (let i = 0; i < 200; i++) await first.next();
    // Cut short in the middle of reading on: it must have ended before another begins.
    const pending = first.next();
    await first.return(undefined);
    await pending;
    const chunks = [];
    for await (const chunk of prepared.copyData()) chunks.push(chunk);
    await using whole = await prepareInsert(tasks, { readFirst: 10_000 });
    const expected = [];
    for await (const chunk of whole.copyData()) expected.push(chunk);
    expect(Buffer.concat(chunks).equals(Buffer.concat(expected))).toBe(true);
    expect([...prepared.belated(10)]).toEqual([]);
  });

  test('of which nothing more is wanted is closed', async () => {
    const onClosed = vi.fn();
    const source = closable(inOrder(), onClosed);
    const prepared = await prepareInsert(source, { readFirst: 1_000 });
    await prepared.dispose();
    expect(onClosed).toHaveBeenCalledOnce();
  });
});
