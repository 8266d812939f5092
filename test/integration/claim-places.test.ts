import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { own, range, task } from '../support/factories.js';
import { openTransaction } from '../support/open-transaction.js';
import { readsOfSession } from '../support/session-reads.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox({}, { ownDatabase: true });

const ids = (count: number) => range(count).map((i) => `t${String(i).padStart(4, '0')}`);

/** A session in a transaction of its own, whose next claim is not the one in ten without a place. */
async function session(): Promise<pg.PoolClient> {
  const client = await openTransaction(t.pool);
  await client.query('select setseed(0)');
  return client;
}

/** Claims in the session's transaction: whose tasks, and how many rows of `ready` it reads. */
async function claim(client: pg.PoolClient, action: string, count: number) {
  const before = await readsOfSession(client, t.schema, 'ready');
  const { rows } = await client.query<{ id: string }>(
    `select id from own_tasks('me', '{default}', array[$1], $2)`,
    [action, count],
  );
  const after = await readsOfSession(client, t.schema, 'ready');
  const own = rows.map(({ id }) => id.slice(id.indexOf('.') + 1));
  return { own, numRead: after.rows - before.rows };
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
    // Where it looks for the first, and what it takes: had B begun there, 201.
    expect(ofB.numRead).toBe(101);

    // A rolls back: its tasks are the next to be claimed.
    await a.query('rollback');
    const next = await own(store, { maxTasks: 100 });
    expect(next.map(({ id }) => id)).toEqual(ids(250).slice(0, 100));
  });

  it('claim what one before has left where they would else come back short', async () => {
    const store = t.box.withPrefix('left');
    await store.insertTasks(ids(30).map((id) => task(id)));
    // A has the first place and has taken nothing yet. B begins ten further on, finds twenty, takes ten.
    const a = await session();
    await a.query(`select pg_advisory_xact_lock(lane_hash('default', 'left.work', ''))`);
    const b = await session();
    expect((await claim(b, 'left.work', 10)).own).toEqual(ids(30).slice(10, 20));
    await b.query('commit');
    // C begins behind both, and goes back for the rest.
    const c = await session();
    expect((await claim(c, 'left.work', 20)).own).toEqual([
      ...ids(30).slice(0, 10),
      ...ids(30).slice(20),
    ]);
  });

  it('keep no task waiting for a session that hangs with a place, in a lane that never runs empty', async () => {
    const store = t.box.withPrefix('hangs');
    await store.insertTasks(ids(20).map((id) => task(id)));
    const hanging = await session();
    await hanging.query(`select pg_advisory_xact_lock(lane_hash('default', 'hangs.work', ''))`);
    const found = new Set<string>();
    for (let round = 0; found.size < 10 && round < 300; round++) {
      const owned = await own(store, { maxTasks: 10 });
      expect(owned).toHaveLength(10);
      for (const { id } of owned) if (ids(10).includes(id)) found.add(id);
      await store.insertTasks(range(10).map((i) => task(`later-${round}-${i}`)));
    }
    expect(found.size).toBe(10);
  });
});
