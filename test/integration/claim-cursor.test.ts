import { describe, expect, it } from 'vitest';
import { giveBack, own, range, task } from '../support/factories.js';
import { openTransaction } from '../support/open-transaction.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox({}, { ownDatabase: true });

/** A session with an open transaction that has taken its snapshot. */
async function oldTransaction() {
  const session = await openTransaction(t.pool, 'repeatable read');
  await session.query('select count(*) from ready');
  return session;
}

const ids = (prefix: string, count: number) => range(count).map((i) => task(`${prefix}${i}`));

describe('tasks that become ready behind the cursor', () => {
  it('are found by the claim that would else come back short', async () => {
    const store = t.namespace();
    // First: inserts, which takes the lowest numbers of the order, and does not commit.
    const tx = await oldTransaction();
    await tx.query('commit');
    await tx.query('begin');
    await store.insertTasks(ids('early', 10), { tx });
    // Second: inserts far more than the cursor's margin, and owns them: the cursor moves on.
    await store.insertTasks(ids('late', 4000));
    const owned = await own(store, { maxTasks: 3500 });
    owned.push(...(await own(store, { maxTasks: 100 })));
    expect(owned.every(({ id }) => id.startsWith('late'))).toBe(true);
    // First: commits. Its rows lie before everything that was claimed.
    await tx.query('commit');
    const rest = await own(store, { maxTasks: 1000 });
    expect(rest).toHaveLength(410);
    expect(rest.filter(({ id }) => id.startsWith('early'))).toHaveLength(10);
  });

  it('are found within seconds even where no claim ever comes back short', async () => {
    const store = t.namespace();
    const tx = await openTransaction(t.pool);
    await store.insertTasks(ids('early', 5), { tx });
    await store.insertTasks(ids('late', 5000));
    await own(store, { maxTasks: 4000 });
    await own(store, { maxTasks: 10 });
    await tx.query('commit');

    const found = new Set<string>();
    const until = performance.now() + 10_000;
    for (let round = 0; found.size < 5 && performance.now() < until; round++) {
      const owned = await own(store, { maxTasks: 20 });
      // As many as were owned come in again: the lane never runs dry.
      await store.insertTasks(ids(`more${round}.`, owned.length));
      expect(owned).toHaveLength(20);
      for (const { id } of owned) if (id.startsWith('early')) found.add(id);
    }
    expect(found.size).toBe(5);
  });

  it('are found though they have a higher priority than all that was claimed', async () => {
    const store = t.namespace();
    await store.insertTasks(ids('low', 5000));
    await own(store, { maxTasks: 4000 });
    await store.insertTasks([task('urgent', { priority: 1 })]);
    expect((await own(store, { maxTasks: 1 })).map(({ id }) => id)).toEqual(['urgent']);
  });

  it('are found though they have a lower priority than all that was claimed', async () => {
    const store = t.namespace();
    await store.insertTasks([task('idle', { priority: -1 }), ...ids('high', 10)]);
    expect(await own(store, { maxTasks: 10 })).toHaveLength(10);
    expect((await own(store, { maxTasks: 1 })).map(({ id }) => id)).toEqual(['idle']);
  });
});

describe('with an old transaction open', () => {
  /** Pages that a claim of ten touches, beginning at `seq`, in a session with warm caches; rolled back. */
  async function pagesOfClaim(action: string, seq: number | null): Promise<number> {
    const session = await t.pool.connect();
    try {
      let pages = 0;
      for (let round = 0; round < 2; round++) {
        await session.query('begin');
        const { rows } = await session.query(
          `explain (analyze, buffers, format json)
           select * from own_tasks('me', array['default'], array[$1], 10, null, array[$2::smallint],
             array[$3::bigint])`,
          [action, seq === null ? null : 0, seq],
        );
        const { Plan: plan } = rows[0]['QUERY PLAN'][0];
        expect(plan['Actual Rows']).toBe(10);
        pages = plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
        await session.query('rollback');
      }
      return pages;
    } finally {
      session.release();
    }
  }

  it('each task is still owned once, and all of them', async () => {
    const store = t.namespace();
    await oldTransaction();
    await store.insertTasks(ids('t', 3000));
    const seen = new Set<string>();
    for (;;) {
      const owned = await own(store, { maxTasks: 100 });
      if (owned.length === 0) break;
      await giveBack(store, owned);
      for (const { id } of owned) seen.add(id);
    }
    expect(seen.size).toBe(3000);
  });

  it('a claim that begins at the cursor steps over none of the rows claimed before', async () => {
    const store = t.box.withPrefix('cursor');
    await store.insertTasks(ids('t', 30_000));
    await oldTransaction();
    let last: { id: string }[] = [];
    for (let i = 0; i < 29; i++) last = await own(store, { maxTasks: 1000 });
    const { rows } = await t.pool.query(
      'select min(seq)::int as seq from task where id = any ($1)',
      [last.map(({ id }) => `cursor.${id}`)],
    );
    const withCursor = await pagesOfClaim('cursor.work', rows[0].seq);
    const without = await pagesOfClaim('cursor.work', null);

    expect(withCursor).toBeLessThan(400);
    expect(without).toBeGreaterThan(4 * withCursor);
  });
});
