import { describe, expect, it } from 'vitest';
import { at, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

/** How many of each action were claimed: tasks are called `<action> <number>`. */
function countByAction(ids: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const id of ids) {
    const action = id.replace(/ .*/, '');
    counts[action] = (counts[action] ?? 0) + 1;
  }
  return counts;
}

function many(action: string, count: number, priority = 0) {
  return Array.from({ length: count }, (_, i) =>
    spec(`${action} ${priority}/${String(i).padStart(3, '0')}`, { action, priority }),
  );
}

async function ownIds(actions: readonly string[], maxTasks: number): Promise<string[]> {
  return (await box.own({ actions, maxTasks })).map(({ id }) => id);
}

describe('own_tasks', () => {
  it('makes a task in-progress under a fresh token, with one try more, and takes it out of ready', async () => {
    await box.insert(spec('a', { maxDurationMs: null }));
    const [owned] = await box.own({ duration: '1 minute' });
    expect(await box.task('a', '*')).toMatchObject({
      status_code: 'in-progress',
      performance_token: owned?.token,
      num_tries: 1,
      actor_id: 'me',
      started_at: NOW,
      action_deadline: at(60),
    });
    expect(await box.ready()).toEqual([]);
    expect(await box.own()).toEqual([]);
  });

  it('gives all tasks of a claim the token that the caller chose', async () => {
    const token = '5f0c2b1e-3a4d-4c6b-8e9f-0123456789ab';
    await box.insert(spec('a'), spec('b'));
    const { rows } = await box.test.pool.query(
      `select id, token from own_tasks('me', '{default}', '{work}', 9, p_now => $1, p_token => $2)`,
      [NOW, token],
    );
    expect(rows).toEqual([
      { id: 'a', token },
      { id: 'b', token },
    ]);
    expect(await box.task('b', 'performance_token')).toEqual({ performance_token: token });
  });

  it("prefers the task's max_duration to the owner's, and never lapses with neither", async () => {
    await box.insert(spec('own', { maxDurationMs: 5_000 }), spec("the owner's"));
    await box.own({ duration: '1 minute' });
    await box.insert(spec('none'));
    await box.own();
    expect(await box.rows('select id, action_deadline from task order by id')).toEqual([
      { id: 'none', action_deadline: null },
      { id: 'own', action_deadline: at(5) },
      { id: "the owner's", action_deadline: at(60) },
    ]);
  });

  it('writes one timer for a batch, at its earliest deadline, and none if none has any', async () => {
    await box.insert(spec('a'), spec('b', { maxDurationMs: 5_000 }), spec('c'));
    await box.own({ duration: '1 minute' });
    const [timer, ...others] = await box.rows('select due, kind, ids from timer');
    expect(timer).toMatchObject({ due: at(5), kind: 'lease' });
    expect(timer?.ids).toHaveLength(3);
    expect(others).toEqual([]);

    await box.clear();
    await box.insert(spec('a'));
    await box.own();
    expect(await box.rows('select * from timer')).toEqual([]);
  });

  it('promotes what is due and settles the engine lane before it claims', async () => {
    await box.insert(
      spec('delayed', { startAfterMs: at(10).getTime() }),
      spec('milestone', { action: null, startAfterMs: at(10).getTime(), targets: ['after it'] }),
      spec('after it'),
    );
    expect(await box.own({ now: at(9) })).toEqual([]);
    const owned = await box.own({ now: at(10) });
    expect(owned.map(({ id }) => id).sort()).toEqual(['after it', 'delayed']);
  });

  it('skips rows of ready that somebody else has locked, and does not wait for them', async () => {
    await box.insert(spec('a'), spec('b'));
    // 1. Another session has the first row.
    await box.sessionThat(`select * from ready where id = 'a' for update`);
    // 2. A claim gives the second.
    expect(await ownIds(['work'], 2)).toEqual(['b']);
    // 3. The first is there still.
    await box.endSessions();
    expect(await ownIds(['work'], 2)).toEqual(['a']);
  });
});

describe('tasks owned ahead (p_num_begun)', () => {
  it('are those that come after so many in the order of priority and of becoming ready', async () => {
    await box.insert(...many('a', 3), ...many('b', 4, 5), ...many('c', 3));
    const owned = await box.ownMore({ actions: ['a', 'b', 'c'], numBegun: 6, now: at(9) });
    expect(owned.filter(({ isBegun }) => isBegun).map(({ id }) => id)).toEqual([
      'b 5/000',
      'b 5/001',
      'b 5/002',
      'b 5/003',
      'a 0/000',
      'a 0/001',
    ]);
    expect(owned).toHaveLength(10);
    expect(await box.task('a 0/001', 'started_at, updated_at, num_tries')).toEqual({
      started_at: at(9),
      updated_at: at(9),
      num_tries: 1,
    });
    expect(await box.task('a 0/002', 'started_at, updated_at, num_tries')).toEqual({
      started_at: null,
      updated_at: at(9),
      num_tries: 1,
    });
  });

  it('are counted over lanes that gave several times', async () => {
    await box.insert(...many('a', 2), ...many('b', 20), ...many('c', 3), ...many('b', 5, -1));
    const owned = await box.ownMore({ actions: ['a', 'b', 'c'], maxTasks: 18, numBegun: 11 });
    expect(owned).toHaveLength(18);
    expect(owned.map(({ isBegun }) => isBegun)).toEqual(owned.map((_, i) => i < 11));
  });

  it.each([
    [0, 0],
    [1, 1],
    [4, 4],
    [5, 5],
    [6, 5],
  ])('with %d of five there are, %d begin', async (numBegun, expected) => {
    await box.insert(...many('a', 2, 1), ...many('a', 3));
    for (const oldestFirst of [false, true]) {
      const owned = await box.ownMore({ actions: ['a'], numBegun, oldestFirst });
      expect(owned.filter(({ isBegun }) => isBegun)).toHaveLength(expected);
      expect(owned).toHaveLength(5);
      await box.giveBack(owned, 'pending');
    }
  });

  it('have no start of an earlier try', async () => {
    await box.insert(spec('a'));
    await box.giveBack(await box.own(), 'pending');
    await box.ownMore({ numBegun: 0 });
    expect(await box.task('a', 'started_at')).toEqual({ started_at: null });
  });
});

describe('a unique key that is needed until the task starts', () => {
  const keys = () => box.rows('select key, task_id, is_released from unique_key order by key');

  it('is free once the task is owned; others are held on', async () => {
    await box.insert(
      spec('until started', { uniqueKey: 'one', uniqueUntilStarted: true }),
      spec('until finished', { uniqueKey: 'two' }),
    );
    await box.own();
    expect(await keys()).toEqual([{ key: 'two', task_id: 'until finished', is_released: false }]);
    await box.insert(spec('next', { uniqueKey: 'one', uniqueUntilStarted: true }));
    expect(await keys()).toHaveLength(2);
  });

  it('is kept for the time that was asked for', async () => {
    await box.insert(
      spec('a', { uniqueKey: 'one', uniqueUntilStarted: true, uniqueForMs: 10_000 }),
    );
    await box.own();
    expect(await keys()).toEqual([{ key: 'one', task_id: 'a', is_released: true }]);
  });
});

describe('the oldest first', () => {
  /** The ids, sorted by when they became ready. */
  async function ownOldest(actions: readonly string[], maxTasks: number): Promise<unknown[]> {
    const owned = await box.ownMore({ actions, maxTasks, oldestFirst: true });
    const ids = owned.map(({ id }) => id);
    return box.values('select id from task where id = any ($1) order by seq', [ids]);
  }

  it('takes what has been ready for longest, whatever its priority and lane', async () => {
    await box.insert(...many('a', 2), ...many('b', 2, 9), ...many('a', 2, -9));
    await box.insert(spec('b late', { action: 'b', priority: 30_000 }));
    await box.insert(spec('a later', { action: 'a', priority: -32_768 }));
    expect(await ownOldest(['a', 'b'], 3)).toEqual(['a 0/000', 'a 0/001', 'b 9/000']);
    expect(await ownOldest(['a', 'b'], 4)).toEqual(['b 9/001', 'a -9/000', 'a -9/001', 'b late']);
    expect(await ownOldest(['a', 'b'], 4)).toEqual(['a later']);
    expect(await ownOldest(['a', 'b'], 4)).toEqual([]);
  });

  it('takes no more of a limited key than its limit', async () => {
    await box.limit('k', 3);
    await box.insert(
      ...['x', 'y'].flatMap((fairKey) =>
        [0, 1, 2].map((i) => spec(`${fairKey}${i}`, { limitKey: 'k', fairKey, priority: i })),
      ),
    );
    await box.insert(spec('plain'));
    expect(await ownOldest(['work'], 10)).toEqual(['x0', 'x1', 'x2', 'plain']);
  });

  it('skips what another session has locked, and does not wait for it', async () => {
    await box.insert(...many('a', 4));
    await box.sessionThat(`select * from ready where id = 'a 0/000' for update`);
    expect(await ownOldest(['a'], 2)).toEqual(['a 0/001', 'a 0/002']);
    await box.endSessions();
  });
});

describe('claim', () => {
  it('takes within a lane in the order of becoming ready', async () => {
    await box.insert(...many('a', 5));
    await box.insert(spec('a late', { action: 'a' }));
    expect(await ownIds(['a'], 3)).toEqual(['a 0/000', 'a 0/001', 'a 0/002']);
    expect(await ownIds(['a'], 3)).toEqual(['a 0/003', 'a 0/004', 'a late']);
  });

  it('takes the highest priority first, whatever the lane', async () => {
    await box.insert(...many('a', 5), ...many('b', 3, 7), ...many('b', 3, -7), ...many('c', 2, 3));
    expect(countByAction(await ownIds(['a', 'b', 'c'], 3))).toEqual({ b: 3 });
    expect(countByAction(await ownIds(['a', 'b', 'c'], 4))).toEqual({ c: 2, a: 2 });
    expect(countByAction(await ownIds(['a', 'b', 'c'], 9))).toEqual({ a: 3, b: 3 });
  });

  it('takes from the least and the greatest priority that there is', async () => {
    await box.insert(...many('a', 1, -32768), ...many('a', 1, 32767));
    expect(await ownIds(['a'], 5)).toEqual(['a 32767/000', 'a -32768/000']);
  });

  it('shares equally among lanes of one priority: a flood in one does not starve the others', async () => {
    await box.insert(...many('flood', 100), ...many('b', 10), ...many('c', 10));
    expect(countByAction(await ownIds(['flood', 'b', 'c'], 12))).toEqual({ flood: 4, b: 4, c: 4 });
  });

  it('gives others what a lane leaves of its share, before it goes on to lower priorities', async () => {
    await box.insert(...many('a', 3), ...many('b', 100), ...many('b', 100, -1));
    const ids = await ownIds(['a', 'b'], 20);
    expect(countByAction(ids)).toEqual({ a: 3, b: 17 });
    expect(ids.filter((id) => id.includes('-1'))).toEqual([]);
  });

  it('shares what some lanes leave of theirs equally as well', async () => {
    await box.insert(...many('a', 1), ...many('b', 100), ...many('c', 100));
    expect(countByAction(await ownIds(['a', 'b', 'c'], 9))).toEqual({ a: 1, b: 4, c: 4 });
  });

  it('takes together what became ready together: of the last of each share, the youngest are left', async () => {
    const round = (n: number) => ['a', 'b', 'c'].map((action) => spec(`${action}${n}`, { action }));
    await box.insert(...[1, 2, 3, 4, 5].flatMap(round));
    const claims = [];
    for (let i = 0; i < 3; i++) claims.push((await ownIds(['a', 'b', 'c'], 4)).sort());
    expect(claims).toEqual([
      ['a1', 'a2', 'b1', 'c1'],
      ['a3', 'b2', 'b3', 'c2'],
      ['a4', 'b4', 'c3', 'c4'],
    ]);
  });

  it('leaves one at most of a lane of which all are younger', async () => {
    await box.insert(...many('a', 50), ...many('b', 50), ...many('young', 50));
    expect(countByAction(await ownIds(['a', 'b', 'young'], 10))).toEqual({ a: 4, b: 3, young: 3 });
  });

  it('takes each task once if a lane is asked for twice', async () => {
    await box.insert(...many('a', 4));
    const ids = await ownIds(['a', 'a'], 4);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('takes nothing from lanes that were not asked for, nor from the lane of the engine', async () => {
    await box.insert(spec('a', { queue: 'other' }), spec('b', { action: 'other' }));
    expect(await box.own()).toEqual([]);
    expect(await ownIds(['work'], 0)).toEqual([]);
  });

  it('spreads claims fewer than the lanes over all of them in time', async () => {
    await box.insert(...many('a', 40), ...many('b', 40), ...many('c', 40));
    const ids: string[] = [];
    for (let i = 0; i < 60; i++) ids.push(...(await ownIds(['a', 'b', 'c'], 1)));
    expect(Object.keys(countByAction(ids)).sort()).toEqual(['a', 'b', 'c']);
  });
});

describe('the claim cursor', () => {
  async function ownFrom(cursor: { priority: number; seq: unknown }, maxTasks: number) {
    const rows = await box.rows(
      `select id, priority, seq from own_tasks('me', '{default}', '{a}', $1, null,
         array[$2]::smallint[], array[$3]::bigint[], $4)`,
      [maxTasks, cursor.priority, cursor.seq, NOW],
    );
    return rows.map(({ id }) => id);
  }

  it('begins at its seq and finds what lies behind it no more', async () => {
    await box.insert(...many('a', 6));
    const [, , third] = await box.values('select seq from ready order by seq');
    expect(await ownFrom({ priority: 0, seq: third }, 2)).toEqual(['a 0/002', 'a 0/003']);
    expect(await ownFrom({ priority: 0, seq: third }, 9)).toEqual(['a 0/004', 'a 0/005']);
    expect(await ownIds(['a'], 9)).toEqual(['a 0/000', 'a 0/001']);
  });

  it('holds for its priority only: higher ones come first and from their beginning, lower ones follow', async () => {
    await box.insert(...many('a', 2, 1), ...many('a', 2, 0), ...many('a', 2, -1));
    const [, second] = await box.values('select seq from ready where priority = 0 order by seq');
    expect(await ownFrom({ priority: 0, seq: second }, 9)).toEqual([
      'a 1/000',
      'a 1/001',
      'a 0/001',
      'a -1/000',
      'a -1/001',
    ]);
  });
});

describe('lease_check', () => {
  it('is at the deadline, but at most five minutes ahead', async () => {
    const check = (deadline: Date) => box.value('select lease_check($1, $2)', [deadline, NOW]);
    expect(await check(at(10))).toEqual(at(10));
    expect(await check(at(300))).toEqual(at(300));
    expect(await check(at(301))).toEqual(at(300));
    expect(await check(at(86_400))).toEqual(at(300));
  });
});
