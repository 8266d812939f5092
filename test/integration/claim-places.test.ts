import type pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { own, range, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox({}, { ownDatabase: true });

const ids = (count: number) => range(count).map((i) => `t${String(i).padStart(4, '0')}`);

/** A session in a transaction of its own, rolled back at the end. */
async function session(): Promise<pg.PoolClient> {
  const client = await t.pool.connect();
  onTestFinished(async () => {
    await client.query('rollback');
    client.release();
  });
  await client.query('begin');
  return client;
}

/** Claims in the session's transaction: whose tasks, and how many rows of `ready` it has looked at since it began. */
async function claim(client: pg.PoolClient, action: string, count: number) {
  const { rows } = await client.query<{ id: string }>(
    `select id from own_tasks('me', '{default}', array[$1], $2)`,
    [action, count],
  );
  const looked = await client.query<{ count: number }>(
    `select coalesce(idx_tup_fetch, 0)::int as count from pg_stat_xact_user_tables
     where relid = 'ready'::regclass`,
  );
  const own = rows.map(({ id }) => id.slice(id.indexOf('.') + 1));
  return { own, numLooked: looked.rows[0]?.count ?? 0 };
}

describe('claims under way at the same time', () => {
  it('begin behind one another, and step over none of what those before have locked', async () => {
    const store = t.box.withPrefix('behind');
    await store.insertTasks(ids(250).map((id) => task(id)));
    // A claims the first hundred, and does not commit. B claims a hundred, and does not commit. C claims what is left.
    const [a, b, c] = [await session(), await session(), await session()];
    const ofA = await claim(a, 'behind.work', 100);
    const ofB = await claim(b, 'behind.work', 100);
    const ofC = await claim(c, 'behind.work', 100);

    expect(ofA.own).toEqual(ids(250).slice(0, 100));
    expect(ofB.own).toEqual(ids(250).slice(100, 200));
    expect(ofC.own).toEqual(ids(250).slice(200));
    // Where it looks for the first, and what it takes: had B begun there, 200 or more.
    expect(ofB.numLooked).toBeLessThan(110);

    // A rolls back: its tasks are the next to be claimed.
    await a.query('rollback');
    const next = await own(store, { maxTasks: 100 });
    expect(next.map(({ id }) => id)).toEqual(ids(250).slice(0, 100));
  });

  it('claim what one before has left, too', async () => {
    const store = t.box.withPrefix('left');
    await store.insertTasks(ids(30).map((id) => task(id)));
    // One that has the first place has taken nothing yet. The next begins ten further on, finds twenty, and wants more.
    const first = await session();
    await first.query(`select pg_advisory_xact_lock(lane_hash('default', 'left.work', ''))`);
    const owned = await own(store, { maxTasks: 10 });
    expect(owned.map(({ id }) => id)).toEqual(ids(30).slice(10, 20));
    const rest = await own(store, { maxTasks: 25 });
    expect(rest.map(({ id }) => id)).toEqual([...ids(30).slice(0, 10), ...ids(30).slice(20)]);
  });
});
