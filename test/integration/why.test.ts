import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { TaskNotFoundError, type TaskStore } from '../../src/index.js';
import { giveBack, own, range, rejection, task } from '../support/factories.js';
import { readsDuring } from '../support/session-reads.js';
import { startManager } from '../support/start-manager.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

async function reasons(store: TaskStore, id = 'a') {
  return (await store.why(id)).reasons;
}

describe('why', () => {
  it('rejects for a task that does not exist, by the name that was asked for', async () => {
    const error = await rejection(t.namespace().why('ghost'));
    expect(error).toBeInstanceOf(TaskNotFoundError);
    expect(error).toMatchObject({ ids: ['ghost'] });
  });

  it('gives times as dates, and names without the prefix', async () => {
    const store = t.namespace();
    const startAfter = new Date(Date.now() + 3_600_000);
    await store.insertTasks([
      task('a', { startAfter, toSignalAfter: ['end'] }),
      task('b', { action: 'other', toSignalAfter: ['end'] }),
      task('end'),
    ]);
    const [held] = await own(store, { actions: ['other'], maxDurationMs: 60_000 });
    expect(await store.why('end')).toEqual({
      id: 'end',
      statusCode: 'pending',
      reasons: [
        {
          kind: 'signals',
          missing: 2,
          from: ['a', 'b'],
          roots: [
            {
              id: 'a',
              statusCode: 'pending',
              reasons: [{ kind: 'start-time', at: startAfter, isRetry: false }],
            },
            {
              id: 'b',
              statusCode: 'in-progress',
              reasons: [{ kind: 'owned', actorId: 'me', deadline: held?.deadline, isBegun: true }],
            },
          ],
        },
      ],
    });
  });

  it('names pauses, limits, rates and a missing worker without the prefix', async () => {
    const store = t.namespace();
    const limits = { limitKey: 'k', limit: 1, rateLimit: { count: 1, intervalMs: 60_000 } };
    await store.insertTasks([task('a', limits), task('b', limits)]);
    expect(await own(store)).toHaveLength(1);
    await store.pause({ action: 'work' });
    await store.pause({ queue: 'default', action: 'work' });
    const waiting = (await store.getTask('a'))?.statusCode === 'pending' ? 'a' : 'b';
    expect(await reasons(store, waiting)).toEqual([
      { kind: 'paused', queue: null, action: 'work', since: expect.any(Date) },
      { kind: 'paused', queue: 'default', action: 'work', since: expect.any(Date) },
      { kind: 'no-worker', queue: 'default', action: 'work' },
      { kind: 'limit', key: 'k', limit: 1, inProgress: 1 },
      {
        kind: 'rate',
        key: 'k',
        rate: { count: 1, intervalMs: 60_000 },
        until: expect.any(Date),
      },
      { kind: 'ready', numBefore: 0 },
    ]);
  });

  it('knows of a worker that announced itself, until it retires', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const worker = { id: randomUUID(), actorId: 'me', queues: ['default'], actions: ['work'] };
    await store.announceWorker(worker, 60_000);
    expect(await reasons(store)).toEqual([{ kind: 'ready', numBefore: 0 }]);
    await store.retireWorker(worker.id);
    expect(await reasons(store)).toMatchObject([{ kind: 'no-worker' }, { kind: 'ready' }]);
  });

  it('follows a task from its insert to its end', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a', { maxTries: 2, retry: { delayMs: 60_000 } })]);
    expect(await reasons(store)).toMatchObject([{ kind: 'no-worker' }, { kind: 'ready' }]);
    const owned = await own(store);
    expect(await reasons(store)).toMatchObject([{ kind: 'owned', deadline: null }]);
    await giveBack(store, owned, { statusCode: 'pending' });
    expect(await reasons(store)).toMatchObject([{ kind: 'start-time', isRetry: true }]);
    await store.cancelTasks(['a'], { status: 'enough' });
    expect(await reasons(store)).toEqual([
      { kind: 'ended', statusCode: 'cancelled', status: 'enough' },
    ]);
  });

  it('does not hinder those who work, and changes nothing', async () => {
    const store = t.namespace();
    await store.insertTasks([
      ...range(200).map((i) => task(`run/${i}`, { toSignalAfter: ['run/end'] })),
      task('run/end', { action: 'end' }),
    ]);
    await startManager(store, async () => {});
    const ids = range(200).map((i) => `run/${i}`);
    await Promise.all([store.waitFor(ids), ...ids.slice(0, 10).map(() => store.why('run/end'))]);
    expect((await store.why('run/end')).reasons.at(-1)).toEqual({ kind: 'ready', numBefore: 0 });
  });

  it.each(['force_custom_plan', 'force_generic_plan'])(
    'reads what lies around a task, and no more where all that will signal it is there, by %s',
    async (mode) => {
      const store = t.box.withPrefix(mode);
      await store.insertTasks([
        ...range(20_000).map((i) => task(`other/${i}`, { toSignalAfter: ['other/end'] })),
        task('other/end'),
        task('run/1', { action: null }),
        task('run/1/a', { toSignalAfter: ['run/1/b'] }),
        task('run/1/b', { toSignalAfter: ['run/1', 'run/1/sub/c'] }),
        task('run/1/sub/c', { toSignalAfter: ['run/1'] }),
        task('far', { toSignalAfter: ['run/2/a'] }),
        task('run/2/a'),
      ]);
      const pool = new pg.Pool({ connectionString: inject('connectionString'), max: 1 });
      onTestFinished(() => pool.end());
      const box = (await t.another({ pool })).withPrefix(mode);
      await pool.query(`select set_config('plan_cache_mode', $1, false)`, [mode]);
      const read = (id: string) => readsDuring(pool, t.schema, 'task', () => reasons(box, id));

      const root = { id: 'run/1/a', reasons: [{ kind: 'no-worker' }, { kind: 'ready' }] };
      for (const [id, from] of [
        ['run/1', ['run/1/b', 'run/1/sub/c']],
        ['run/1/sub/c', ['run/1/b']],
      ] as const) {
        const {
          result: [reason],
          rows,
        } = await read(id);
        expect(reason).toMatchObject({ kind: 'signals', from, roots: [root] });
        expect(rows).toBeLessThan(50);
      }
      const {
        result: [reason],
        rows,
      } = await read('run/2/a');
      expect(reason).toMatchObject({ kind: 'signals', from: ['far'], roots: [{ id: 'far' }] });
      expect(rows).toBeGreaterThan(20_000);
    },
  );
});
