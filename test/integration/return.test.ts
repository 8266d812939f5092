import { describe, expect, it } from 'vitest';
import {
  DuplicateTaskError,
  InvalidBodyError,
  InvalidStatusError,
  InvalidTaskError,
  InvalidTokenError,
  ResultTooLargeError,
  type ReturnReport,
} from '../../src/index.js';
import {
  giveBack,
  listedIds,
  own,
  ownOne,
  range,
  rejection,
  statuses,
  task,
} from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const UNKNOWN_TOKEN = '00000000-0000-4000-8000-000000000000';

function errorOf(report: ReturnReport | undefined): Error | null {
  return report && !report.ok ? report.error : null;
}

describe('returning (parade 4)', () => {
  it('takes a task back once, and gives one returned pending to the next who asks', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('111', { action: 'frob' }),
      task('123', { action: 'broz' }),
      task('222', { action: 'broz' }),
    ]);
    const request = { actions: ['frob', 'broz'] };
    const tokens = new Map((await own(store, request)).map(({ id, token }) => [id, token]));
    const tokenOf = (id: string) => tokens.get(id) ?? '';

    await store.returnTask('111', tokenOf('111'), { statusCode: 'completed', status: 'done' });
    const again = store.returnTask('111', tokenOf('111'), { statusCode: 'completed' });
    await expect(again).rejects.toThrow(InvalidTokenError);
    await expect(again).rejects.toMatchObject({ id: '111', code: 'INVALID_TOKEN' });

    await store.returnTask('123', tokenOf('123'), { statusCode: 'pending', status: 'try again' });
    const owned = await ownOne(store, request);
    expect(owned).toMatchObject({ id: '123', numSignalledFailures: 0, numTries: 2 });
    expect(owned.token).not.toBe(tokenOf('123'));
  });

  it.each([
    ['completed', 'yay', { rows: [1, 2], ok: true }],
    ['aborted', 'b0rked', null],
    ['completed', undefined, 'null'],
  ] as const)(
    'keeps what a task was returned as: %s, %s, %j',
    async (statusCode, status, result) => {
      const store = t.namespace();
      await store.insertTasks([task('a')]);
      const { id, token } = await ownOne(store);
      await store.returnTask(id, token, { statusCode, ...(status ? { status } : {}), result });
      const found = await store.getTask('a');
      expect(found).toMatchObject({ statusCode, status: status ?? null, result, deadline: null });
      expect(found?.finishedAt).toBeInstanceOf(Date);
    },
  );
});

describe('a return that is refused', () => {
  it.each([[UNKNOWN_TOKEN], ['no uuid'], ['']])(
    'leaves the task owned: token %j',
    async (token) => {
      const store = t.namespace();
      await store.insertTasks([task('a')]);
      const owned = await ownOne(store);
      await expect(store.returnTask('a', token, { statusCode: 'completed' })).rejects.toThrow(
        InvalidTokenError,
      );
      expect(await store.getTask('a')).toMatchObject({ statusCode: 'in-progress' });
      await giveBack(store, [owned]);
    },
  );

  it('of a task that does not exist says that the token does not hold', async () => {
    const error = rejection(
      t.namespace().returnTask('ghost', UNKNOWN_TOKEN, { statusCode: 'completed' }),
    );
    expect(await error).toMatchObject({ code: 'INVALID_TOKEN', id: 'ghost' });
  });

  it('because its result is no JSON does not stop the others of its batch', async () => {
    const store = t.namespace();
    await store.insertTasks([task('good'), task('circular'), task('nul'), task('lost')]);
    const tokens = new Map((await own(store)).map(({ id, token }) => [id, token]));
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const results: Record<string, unknown> = { good: 1, circular, nul: 'a\u0000b', lost: 2 };
    const reports = await store.returnTasks(
      Object.keys(results).map((id) => ({
        id,
        token: id === 'lost' ? UNKNOWN_TOKEN : (tokens.get(id) ?? ''),
        statusCode: 'completed' as const,
        result: results[id] as string,
      })),
    );
    expect(reports.map(({ id, ok }) => [id, ok])).toEqual([
      ['good', true],
      ['circular', false],
      ['nul', false],
      ['lost', false],
    ]);
    expect(errorOf(reports[1])).toBeInstanceOf(InvalidBodyError);
    expect(errorOf(reports[2])).toMatchObject({ id: 'nul', code: 'INVALID_BODY' });
    expect(errorOf(reports[3])).toBeInstanceOf(InvalidTokenError);
    expect(await statuses(store)).toEqual({
      good: 'completed',
      circular: 'in-progress',
      nul: 'in-progress',
      lost: 'in-progress',
    });
  });

  it('because its result is too large does not stop the others of its batch', async () => {
    const other = await t.another({ maxResultBytes: 100 });
    const store = other.withPrefix('too large');
    await store.insertTasks([task('a'), task('b'), task('c')]);
    const results: Record<string, string> = {
      a: 'x'.repeat(98),
      b: 'x'.repeat(99),
      c: 'é'.repeat(50),
    };
    const reports = await store.returnTasks(
      (await own(store)).map(({ id, token }) => ({
        id,
        token,
        statusCode: 'completed' as const,
        result: results[id],
      })),
    );
    expect(reports.map(({ ok }) => ok)).toEqual([true, false, false]);
    expect(errorOf(reports[1])).toBeInstanceOf(ResultTooLargeError);
    expect(errorOf(reports[1])).toMatchObject({ id: 'b', bytes: 101, maxBytes: 100 });
    expect(errorOf(reports[2])).toMatchObject({ id: 'c', bytes: 102 });
    expect(await statuses(store)).toEqual({ a: 'completed', b: 'in-progress', c: 'in-progress' });
  });

  it.each([[-1], [Number.NaN], [Number.POSITIVE_INFINITY], ['1' as unknown as number]])(
    'because its retry delay is none does not stop the others of its batch: %j',
    async (retryDelayMs) => {
      const store = t.namespace();
      await store.insertTasks([task('bad'), task('good')]);
      const reports = await store.returnTasks(
        (await own(store)).map(({ id, token }) => ({
          id,
          token,
          statusCode: 'pending' as const,
          ...(id === 'bad' ? { retryDelayMs } : {}),
        })),
      );
      expect(errorOf(reports[0])).toBeInstanceOf(InvalidTaskError);
      expect(errorOf(reports[0])).toMatchObject({ id: 'bad', field: 'retryDelayMs' });
      expect(reports[1]).toEqual({ id: 'good', ok: true, statusCode: 'pending' });
    },
  );

  it('twice in one batch counts once', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('a', { toSignalAfter: ['b'] }),
      task('b', { totalDependencies: 2 }),
    ]);
    const { id, token } = await ownOne(store);
    const [first, second] = await store.returnTasks([
      { id, token, statusCode: 'completed' },
      { id, token, statusCode: 'aborted' },
    ]);
    expect(first).toEqual({ id, ok: true, statusCode: 'completed' });
    expect(errorOf(second)).toBeInstanceOf(InvalidTokenError);
    expect(await store.getTask('b')).toMatchObject({ numSignals: 1, numFailures: 0 });
  });

  it.each([['in-progress'], ['cancelled'], ['unheard of'], [7], [null]])(
    'names the status code that no task is returned with: %j',
    async (statusCode) => {
      const store = t.namespace();
      await store.insertTasks([task('a')]);
      const { id, token } = await ownOne(store);
      const outcome = { statusCode: statusCode as 'completed' };
      const error = await rejection(store.returnTask(id, token, outcome));
      expect(error).toBeInstanceOf(InvalidStatusError);
      expect(error).toMatchObject({ status: statusCode });
      expect(await store.getTask('a')).toMatchObject({ statusCode: 'in-progress' });
    },
  );
});

describe('status codes (parade 13)', () => {
  it.each(['completed', 'Completed', 'COMPLETED'])(
    'are read in any letter case: %s',
    async (code) => {
      const store = t.namespace();
      await store.insertTasks([task('a')]);
      const { id, token } = await ownOne(store);
      const [report] = await store.returnTasks([{ id, token, statusCode: code as 'completed' }]);
      expect(report).toEqual({ id, ok: true, statusCode: 'completed' });
      expect(await listedIds(store, { statusCodes: [code as 'completed'] })).toEqual(['a']);
    },
  );

  it.each([
    ['bogus', /"bogus" is not one of pending, in-progress/],
    [7, /7 is not text/],
    [null, /null is not text/],
  ])('that are unknown, and other types than text, are told apart: %j', async (code, message) => {
    const error = await rejection(listedIds(t.namespace(), { statusCodes: [code as 'pending'] }));
    expect(error).toBeInstanceOf(InvalidStatusError);
    expect(error).toMatchObject({ status: code, message: expect.stringMatching(message) });
  });
});

describe('tasks that a return inserts', () => {
  it('are there when the return is, and not when its token does not hold', async () => {
    const store = t.namespace();
    await store.insertTasks([task('parent', { toSignalAfter: ['join'] }), task('join')]);
    const { token } = await ownOne(store);
    const children = range(3).map((i) => task(`child${i}`, { toSignalAfter: ['join'] }));

    const lost = store.returnTask('parent', UNKNOWN_TOKEN, {
      statusCode: 'completed',
      tasks: children,
    });
    await expect(lost).rejects.toThrow(InvalidTokenError);
    expect(Object.keys(await statuses(store))).toEqual(['join', 'parent']);

    await store.returnTask('parent', token, { statusCode: 'completed', tasks: children });
    expect(await statuses(store)).toEqual({
      parent: 'completed',
      join: 'pending',
      child0: 'pending',
      child1: 'pending',
      child2: 'pending',
    });
    expect(await store.getTask('join')).toMatchObject({ totalDependencies: 4, numSignals: 1 });
  });

  it('that cannot be inserted leave the task owned', async () => {
    const store = t.namespace();
    await store.insertTasks([task('parent'), task('taken', { action: 'other' })]);
    const { id, token } = await ownOne(store);
    const outcome = { statusCode: 'completed' as const, tasks: [task('new'), task('taken')] };
    const error = await rejection(store.returnTask(id, token, outcome));
    expect(error).toBeInstanceOf(DuplicateTaskError);
    expect(error).toMatchObject({ ids: ['taken'] });
    expect(await statuses(store)).toEqual({ parent: 'in-progress', taken: 'pending' });
    await store.returnTask(id, token, { statusCode: 'completed' });
  });
});

describe('a batch', () => {
  it('of a thousand is returned in one statement, each with its own outcome', async () => {
    const store = t.namespace();
    await store.insertTasks(range(1000).map((i) => task(`t${String(i).padStart(3, '0')}`)));
    const owned = await own(store);
    const codes = ['completed', 'aborted', 'pending'] as const;
    const reports = await store.returnTasks(
      owned.map(({ id, token }, i) => ({
        id,
        token,
        statusCode: codes[i % 3] ?? 'completed',
        status: `status of ${id}`,
        result: { i },
      })),
    );
    expect(reports.every(({ ok }) => ok)).toBe(true);
    expect(reports.map(({ id }) => id)).toEqual(owned.map(({ id }) => id));
    for await (const { id, statusCode, status, result } of store.listTasks()) {
      const i = owned.findIndex((one) => one.id === id);
      expect({ statusCode, status, result }).toEqual({
        statusCode: codes[i % 3],
        status: `status of ${id}`,
        result: { i },
      });
    }
  });

  it('of none is nothing', async () => {
    expect(await t.namespace().returnTasks([])).toEqual([]);
  });
});

describe('a task returned with autoDelete', () => {
  const done = { statusCode: 'completed', autoDelete: true } as const;

  it('is deleted once its signals are given', async () => {
    t.allow({ signalsMayOutnumberSenders: true });
    const store = t.namespace();
    await store.insertTasks([task('a', { toSignalAfter: ['b'] }), task('b', { action: 'finish' })]);
    const [report] = await store.returnTasks([{ ...(await ownOne(store)), ...done }]);
    expect(report).toEqual({ id: 'a', ok: true, statusCode: 'completed' });
    expect(await statuses(store)).toEqual({ b: 'pending' });
    expect(await ownOne(store, { actions: ['finish'] })).toMatchObject({ numSignalledFailures: 0 });
  });

  it('stays when somebody waits for it', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const waiter = await store.newWaiter('a');
    await giveBack(store, [await ownOne(store)], { ...done, status: 'yay', result: 7 });
    expect(await waiter.wait()).toMatchObject({
      statusCode: 'completed',
      status: 'yay',
      result: 7,
    });
    expect(await statuses(store)).toEqual({ a: 'completed' });
  });

  it('is deleted in the transaction in which its own tasks are inserted', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    await giveBack(store, [await ownOne(store)], { ...done, tasks: [task('child')] });
    expect(await statuses(store)).toEqual({ child: 'pending' });
  });

  it('stays when it failed', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    await giveBack(store, [await ownOne(store)], { ...done, statusCode: 'aborted' });
    expect(await statuses(store)).toEqual({ a: 'aborted' });
  });
});
