import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { range, task } from '../support/factories.js';
import { readsOfSession } from '../support/session-reads.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox({}, { ownDatabase: true });
const NUM_OF_EACH = 70_000;
const NUM_READY = 500;

/** In a transaction that is rolled back, the second time: once to warm the session's caches, once to look. */
async function explain(text: string, values: unknown[]): Promise<{ pages: number; rows: number }> {
  const session = await t.pool.connect();
  try {
    await explainOnce(session, text, values);
    return await explainOnce(session, text, values);
  } finally {
    session.release();
  }
}

async function explainOnce(session: pg.PoolClient, text: string, values: unknown[]) {
  await session.query('begin');
  const { rows } = await session.query(`explain (analyze, buffers, format json) ${text}`, values);
  await session.query('rollback');
  const { Plan: plan } = rows[0]['QUERY PLAN'][0];
  return {
    pages: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'],
    rows: plan['Actual Rows'],
  };
}

const OWN = `select * from own_tasks('me', array['default'], array['claim.work'], $1)`;

async function loadReady(): Promise<void> {
  await t.box.withPrefix('claim').insertTasks(
    range(NUM_READY)
      .map((i) => task(`ready${i}`, { toSignalAfter: ['end'] }))
      .concat(task('end')),
  );
}

/** A third each: waiting for a signal, delayed (with timers), completed. Half of each in the lane that is claimed. */
async function loadOthers(): Promise<void> {
  const kinds = [
    `'pending', 1, null, null, null`,
    `'pending', 0, now() + interval '1 day', now() + interval '1 day', null`,
    `'completed', 0, null, null, now()`,
  ];
  for (const [k, values] of kinds.entries()) {
    await t.pool.query(
      `insert into task (id, action, body, status_code, total_dependencies, total_is_given, start_after, due_at,
         finished_at)
       select format('claim.other${k}-%s', i), case when i % 2 = 0 then 'claim.work' else 'other' end,
         '{"some": "body"}', k.code::status_code, k.total, true, k.start_after::timestamptz,
         k.due::timestamptz, k.finished::timestamptz
       from generate_series(1, $1) as i
       cross join (values (${values})) as k (code, total, start_after, due, finished)`,
      [NUM_OF_EACH],
    );
  }
  await t.pool.query(
    `insert into timer (due, kind, ids)
     select min(due_at), 'start', array_agg(id)
     from (select t.*, row_number() over (order by id) as n from task t where due_at is not null) as d
     group by n / 500`,
  );
}

describe.sequential('owning among 210,000 blocked, delayed and finished tasks (difference 8)', () => {
  const empty = { all: 0, ten: 0, none: 0 };

  beforeAll(async () => {
    // Statistics stay as of the empty table: the plan must not depend on them.
    await t.pool.query('alter table task set (autovacuum_enabled = off)');
    await t.pool.query('alter table timer set (autovacuum_enabled = off)');
    await t.pool.query('analyze task, timer, ready');
    empty.none = (await explain(OWN, [500])).pages;
    await loadReady();
    const all = await explain(OWN, [NUM_READY]);
    expect(all.rows).toBe(NUM_READY);
    empty.all = all.pages;
    empty.ten = (await explain(OWN, [10])).pages;
    await loadOthers();
  });

  it.each(['stale', 'fresh'])(
    'touches about as many pages as in an empty schema, statistics %s',
    async (kind) => {
      if (kind === 'fresh') await t.pool.query('analyze task, timer, ready');
      const all = await explain(OWN, [NUM_READY]);
      expect(all.rows).toBe(NUM_READY);
      // A deeper index: a page or two more for each task.
      expect(all.pages).toBeLessThan(1.5 * empty.all + 200);
      const ten = await explain(OWN, [10]);
      expect(ten.rows).toBe(10);
      expect(ten.pages).toBeLessThan(1.5 * empty.ten + 100);
    },
  );

  it('touches next to nothing where nothing is ready', async () => {
    const idle = await explain(
      `select * from own_tasks('me', array['default'], array['claim.nothing'], 500)`,
      [],
    );
    expect(idle.rows).toBe(0);
    expect(idle.pages).toBeLessThan(empty.none + 50);
  });

  it('reads by index the rows it owns and no others, and scans no table', async () => {
    const session = await t.pool.connect();
    try {
      await session.query('begin');
      const reads = async () => ({
        task: await readsOfSession(session, t.schema, 'task'),
        timer: await readsOfSession(session, t.schema, 'timer'),
      });
      const before = await reads();
      const { rows } = await session.query(OWN, [100]);
      expect(rows).toHaveLength(100);
      await session.query(
        `select return_tasks($1, $2, array_fill('completed'::status_code, array[100]))`,
        [rows.map(({ id }) => id), rows.map(({ token }) => token)],
      );
      const after = await reads();
      expect(after.task.seqScans).toBe(before.task.seqScans);
      expect(after.timer.seqScans).toBe(before.timer.seqScans);
      expect(after.task.rows - before.task.rows).toBeLessThan(1000);
      expect(after.timer.rows - before.timer.rows).toBeLessThan(50);
    } finally {
      await session.query('rollback');
      session.release();
    }
  });
});

describe.sequential('owning from keyed lanes among 20,000 closed ones, statistics as of empty tables', () => {
  const tables = ['task', 'ready', 'keyed_lane', 'limit_key', 'limit_slot'];
  const own = `select * from own_tasks('me', array['default'], array['keyed.work'], $1)`;
  const next = `select next_ready_at(array['default'], array['keyed.work'])`;
  const HOLDER = '11111111-0000-4000-8000-000000000000';

  beforeAll(async () => {
    await t.pool.query('truncate task, ready, timer, keyed_lane, limit_key, limit_slot');
    for (const table of tables) {
      await t.pool.query(`alter table ${table} set (autovacuum_enabled = off)`);
      await t.pool.query(`analyze ${table}`);
    }
    const store = t.box.withPrefix('keyed');
    await store.insertTasks(
      range(20_000).map((i) => task(`closed${i}`, { limitKey: `closed${i}`, limit: 1 })),
    );
    await t.pool.query(`update keyed_lane set closed_until = now() + interval '1 hour'`);
    await store.insertTasks(
      range(200).map((i) => task(`open${i}`, { limitKey: `open${i % 20}`, limit: 3 })),
    );
  });

  it('looks at the open lanes only, and scans no table', async () => {
    const session = await t.pool.connect();
    try {
      await session.query(own, [1]);
      await session.query('begin');
      const reads = async () => {
        const all = [];
        for (const table of tables) all.push(await readsOfSession(session, t.schema, table));
        return all;
      };
      const before = await reads();
      const { rows } = await session.query(own, [100]);
      expect(rows.length).toBeGreaterThan(50);
      await session.query(next);
      await session.query(
        `select return_tasks($1, $2, array_fill('completed'::status_code, array[$3::integer]))`,
        [rows.map(({ id }) => id), rows.map(({ token }) => token), rows.length],
      );
      const after = await reads();
      for (const [i, table] of tables.entries()) {
        expect([table, after[i]?.seqScans]).toEqual([table, before[i]?.seqScans]);
        expect((after[i]?.rows ?? 0) - (before[i]?.rows ?? 0)).toBeLessThan(3_000);
      }
    } finally {
      await session.query('rollback');
      session.release();
    }
  });

  it('touches few pages for each task, and fewer where nothing is open', async () => {
    const some = await explain(own, [50]);
    expect(some.rows).toBe(50);
    expect(some.pages).toBeLessThan(50 * 60 + 1_000);
    await t.pool.query(`update keyed_lane set closed_until = now() + interval '1 hour'`);
    const none = await explain(own, [50]);
    expect(none.rows).toBe(0);
    expect(none.pages).toBeLessThan(1_000);
    // A holder that has slots of one closed lane looks at that one.
    await t.pool.query(
      `insert into limit_slot (key, holder, slots, in_hand) values ('keyed.open7', $1, 3, 3)`,
      [HOLDER],
    );
    const held = await explain(
      `select * from own_tasks('me', array['default'], array['keyed.work'], $1, p_holder => '${HOLDER}', p_tasks_per_slot => 2)`,
      [50],
    );
    expect(held.rows).toBe(3);
    expect(held.pages).toBeLessThan(1_000);
    await t.pool.query('truncate task, ready, timer, keyed_lane, limit_key, limit_slot');
  });
});
