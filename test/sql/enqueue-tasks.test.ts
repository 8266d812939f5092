import { describe, expect, it } from 'vitest';
import { at, expectRaise, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

function totalOf(id: string) {
  return box.task(id, 'total_dependencies');
}

describe('enqueue_tasks', () => {
  it('puts what waits for nothing into its lane, or a timer if its time is ahead', async () => {
    await box.insert(
      spec('now'),
      spec('past', { startAfterMs: at(-5).getTime() }),
      spec('later', { startAfterMs: at(5).getTime() }),
      spec('waiting', { givenTotal: 1 }),
    );
    expect(await box.ready()).toEqual(['now', 'past']);
    expect(await box.rows('select due, kind, ids from timer')).toEqual([
      { due: at(5), kind: 'start', ids: ['later'] },
    ]);
  });

  it('keeps at most 500 tasks in a timer', async () => {
    const specs = Array.from({ length: 1_200 }, (_, i) =>
      spec(`t${i}`, { startAfterMs: at(5).getTime() }),
    );
    await box.insert(...specs);
    const sizes = (await box.values('select cardinality(ids) from timer')).map(Number);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(1_200);
  });

  it('raises the totals of tasks inserted earlier by the edges to them, unless a total was given', async () => {
    await box.insert(
      spec('x', { targets: ['computed'] }),
      spec('computed'),
      spec('given', { givenTotal: 5 }),
    );
    await box.insert(
      spec('a', { targets: ['computed', 'given'] }),
      spec('b', { targets: ['computed'] }),
    );
    expect(await totalOf('computed')).toEqual({ total_dependencies: 3 });
    expect(await totalOf('given')).toEqual({ total_dependencies: 5 });
  });

  it('raises SB002 with the targets that do not exist, and nothing is inserted', async () => {
    await box.insert(spec('there', { givenTotal: 1 }));
    const failing = box.insert(spec('a', { targets: ['gone', 'there', 'unknown'] }));
    await expectRaise(failing, 'SB002', ['gone', 'unknown']);
    await box.endSessions();
    expect(await box.statuses()).toEqual({ there: 'pending' });
  });

  it('raises SB003 with the targets that wait no longer: ready, owned or ended', async () => {
    await box.insert(spec('x', { targets: ['waiting'] }), spec('waiting'));
    await box.insert(spec('owned', { action: 'other' }), spec('cancelled', { givenTotal: 1 }));
    await box.own({ actions: ['other'] });
    await box.rows(`select cancel_tasks('{cancelled}')`);
    const targets = ['cancelled', 'owned', 'waiting', 'x'];
    await expectRaise(
      box.insert(spec('a', { targets })),
      'SB003',
      ['cancelled', 'owned', 'x'].sort(),
    );
    await box.endSessions();
    expect(await totalOf('waiting')).toEqual({ total_dependencies: 1 });
  });

  it('raises SB006 with the keys that are taken, by another batch or twice in this one', async () => {
    await box.insert(spec('a', { uniqueKey: 'taken' }));
    await expectRaise(
      box.insert(spec('b', { uniqueKey: 'taken' }), spec('c', { uniqueKey: 'free' })),
      'SB006',
      ['taken'],
    );
    await expectRaise(
      box.insert(spec('d', { uniqueKey: 'twice' }), spec('e', { uniqueKey: 'twice' })),
      'SB006',
      ['twice'],
    );
    await box.endSessions();
    expect(await box.statuses()).toEqual({ a: 'pending' });
  });

  it('waits for an insert of the same key, and then finds it taken', async () => {
    // 1. One session inserts a task with the key.
    await box.insert(spec('a'), spec('b'));
    await box.rows(`update task set unique_key = 'key'`);
    const first = await box.sessionThat(`select take_unique_keys('{a}', null, now())`);
    // 2. Another wants the key for its own task, and waits.
    const second = expectRaise(box.rows(`select take_unique_keys('{b}', null, now())`), 'SB006', [
      'key',
    ]);
    await box.untilSomebodyWaitsFor(first);
    // 3. The first commits.
    await first.query('commit');
    await second;
    await box.clear();
  });

  it('waits for a return that signals the same target, and sees what it left', async () => {
    await box.insert(spec('a', { targets: ['t'] }), spec('t'));
    const [held] = await box.own();
    // 1. A session returns a: t has all its signals, once that is committed.
    const returning = await box.sessionThat(
      `select return_tasks(array[$1], array[$2::uuid], '{completed}')`,
      [held?.id, held?.token],
    );
    // 2. Another inserts an edge to t, which still waits as far as it can see.
    const inserting = expectRaise(box.insert(spec('late', { targets: ['t'] })), 'SB003', ['t']);
    await box.untilSomebodyWaitsFor(returning);
    // 3. The first commits; the second finds that t waits no longer.
    await returning.query('commit');
    await inserting;
  });

  it('does not wait for a target that is owned already: it refuses at once', async () => {
    await box.insert(spec('t'));
    await box.own();
    // 1. Another session is about to end t.
    await box.sessionThat(`select cancel_tasks('{t}')`);
    // 2. An edge to it is refused, whatever becomes of that.
    await expectRaise(box.insert(spec('late', { targets: ['t'] })), 'SB003', ['t']);
  });

  it('settles a milestone that waits for nothing, and what follows it', async () => {
    await box.insert(spec('m', { action: null, targets: ['b'] }), spec('b'));
    expect(await box.statuses()).toEqual({ m: 'completed', b: 'pending' });
    expect(await box.ready()).toEqual(['b']);
  });
});
