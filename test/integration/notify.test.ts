import pg from 'pg';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { eventually, giveBack, milestone, own, ownOne, range, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

/** What arrives on a channel from now on. */
async function listen(channel: string): Promise<string[]> {
  const client = new pg.Client(inject('connectionString'));
  await client.connect();
  onTestFinished(() => client.end());
  const payloads: string[] = [];
  client.on('notification', ({ payload = '' }) => payloads.push(payload));
  await client.query(`listen "${channel}"`);
  return payloads;
}

describe('notifyChannelAfter', () => {
  it('shared by two tasks gets one notification each, as JSON', async () => {
    const store = t.box.withPrefix('shared');
    const payloads = await listen('shared.done');
    await store.insertTasks([
      task('a', { notifyChannelAfter: 'done' }),
      task('b', { notifyChannelAfter: 'done' }),
      task('c'),
    ]);
    const [a, ...others] = await own(store);
    if (a) await giveBack(store, [a], { statusCode: 'completed', status: 'yay "quoted" ü' });
    await giveBack(store, others, { statusCode: 'aborted' });
    await eventually(() => expect(payloads).toHaveLength(2));
    expect(payloads.map((payload) => JSON.parse(payload))).toEqual([
      { id: 'shared.a', statusCode: 'completed', status: 'yay "quoted" ü' },
      { id: 'shared.b', statusCode: 'aborted', status: null },
    ]);
  });

  it('is told of each kind of end once, and of a retry not', async () => {
    const store = t.box.withPrefix('kinds');
    const payloads = await listen('kinds.done');
    const notifyChannelAfter = 'done';
    await store.insertTasks([
      task('retried', { notifyChannelAfter, toSignalAfter: ['skipped', 'gate'] }),
      task('skipped', { notifyChannelAfter, runWhen: 'any_failed' }),
      milestone('gate', { notifyChannelAfter }),
      task('cancelled', { notifyChannelAfter, action: 'never' }),
    ]);
    await giveBack(store, [await ownOne(store)], { statusCode: 'pending' });
    await giveBack(store, [await ownOne(store)]);
    await store.cancelTasks(['cancelled']);
    await eventually(() => expect(payloads).toHaveLength(4));
    const ends = payloads.map((payload) => JSON.parse(payload));
    expect(Object.fromEntries(ends.map(({ id, statusCode }) => [id, statusCode]))).toEqual({
      'kinds.retried': 'completed',
      'kinds.skipped': 'skipped',
      'kinds.gate': 'completed',
      'kinds.cancelled': 'cancelled',
    });
  });

  it('with a status longer than a notification may be still comes', async () => {
    const store = t.box.withPrefix('long');
    const payloads = await listen('long.done');
    await store.insertTasks([task('a', { notifyChannelAfter: 'done' })]);
    const status = 'ü'.repeat(20_000);
    await giveBack(store, [await ownOne(store)], { statusCode: 'completed', status });
    await eventually(() => expect(payloads).toHaveLength(1));
    expect(JSON.parse(payloads[0] ?? '')).toMatchObject({ id: 'long.a', statusCode: 'completed' });
    expect((await store.getTask('a'))?.status).toBe(status);
  });

  it.each([
    ['the id where both do not fit', `${'"'.repeat(1990)}1`, '\u0001'.repeat(5000), 1991],
    ['not even the id where JSON makes it too long', '\u0001'.repeat(2000), 'yay', undefined],
  ])('is told %s; the return goes through', async (_, id, status, told) => {
    const store = t.box.withPrefix('escaped');
    const payloads = await listen('escaped.done');
    await store.insertTasks([task(id, { notifyChannelAfter: 'done' })]);
    const waiter = await store.newWaiter(id);
    await giveBack(store, [await ownOne(store)], { statusCode: 'completed', status });
    expect(await waiter.wait()).toMatchObject({ statusCode: 'completed', status });
    await eventually(() => expect(payloads).toHaveLength(1));
    const payload = JSON.parse(payloads[0] ?? '');
    expect(payload).toMatchObject({ statusCode: 'completed' });
    expect(payload.id?.length).toBe(told && told + 'escaped.'.length);
  });
});

describe('notifications', () => {
  /** A box whose functions call a pg_notify that writes down what it is called with. */
  async function spied() {
    await t.pool.query(`
      create table if not exists spied (channel text, payload text);
      truncate spied;
      create or replace function pg_notify(channel text, payload text) returns void language sql as $$
        insert into spied values (channel, payload); select pg_catalog.pg_notify(channel, payload)
      $$`);
    const connectionString = inject('connectionString');
    const options = `-c search_path=${t.schema},pg_catalog`;
    const pool = new pg.Pool({ connectionString, options, max: 4 });
    onTestFinished(() => pool.end());
    const box = await t.another({ pool, listenConnectionString: connectionString });
    const calls = async () => {
      const { rows } = await t.pool.query<{ channel: string; payload: string }>('table spied');
      return rows;
    };
    return { box, calls };
  }

  it('are not sent at all while nobody watches and nobody sleeps', async () => {
    const { box, calls } = await spied();
    const store = box.withPrefix('spied1');
    await store.insertTasks([
      ...range(50).map((i) => task(`t${i}`, { toSignalAfter: ['m'] })),
      milestone('m', { toSignalAfter: ['end'] }),
      task('end'),
      task('lapses', { action: 'slow', maxTries: 1 }),
    ]);
    await own(store, { actions: ['slow'], maxDurationMs: 1 });
    const owned = await own(store);
    await giveBack(store, owned.slice(0, 25));
    await giveBack(store, owned.slice(25, 40), { statusCode: 'pending' });
    await store.cancelTasks(owned.slice(40).map(({ id }) => id));
    await giveBack(store, await own(store), { statusCode: 'aborted' });
    await store.rerunTasks(['t0'], { downstream: true });
    await store.deleteTasks(['end']);
    expect(await calls()).toEqual([]);
  });

  it('of many ends in one batch are one to each watching process', async () => {
    const { box, calls } = await spied();
    const store = box.withPrefix('spied2');
    await store.insertTasks(range(100).map((i) => task(`t${i}`)));
    const waiters = await Promise.all(range(100).map((i) => store.newWaiter(`t${i}`)));
    await giveBack(store, await own(store));
    await Promise.all(waiters.map((waiter) => waiter.wait()));
    const ends = (await calls()).filter(({ payload }) => payload !== 'ready');
    expect(ends).toHaveLength(1);
    expect(JSON.parse(ends[0]?.payload ?? '')).toHaveLength(100);
  });

  it('wake a sleeper once, not at each task', async () => {
    const { box, calls } = await spied();
    const store = box.withPrefix('spied3');
    const waking = store.waitForReady({ actions: ['work'] }, { timeoutMs: 20_000 });
    await eventually(async () => {
      const { rows } = await t.pool.query('select 1 from sleeper');
      expect(rows).toHaveLength(1);
    });
    for (const i of range(20)) await store.insertTasks([task(`t${i}`)]);
    await waking;
    expect((await calls()).map(({ payload }) => payload)).toEqual(['ready']);
  });
});
