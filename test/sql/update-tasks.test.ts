import { describe, expect, it } from 'vitest';
import { at, expectRaise, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

interface Change {
  readonly body?: unknown;
  readonly priority?: number;
  readonly startAfter?: Date | null;
}

function update(changes: Record<string, Change>, now = NOW) {
  const all = Object.values(changes);
  return box.rows('select update_tasks($1, $2, $3, $4, $5, $6, $7)', [
    Object.keys(changes),
    all.map(({ body }) => (body == null ? null : JSON.stringify(body))),
    all.map(({ body }) => body !== undefined),
    all.map(({ priority }) => priority ?? null),
    all.map(({ startAfter }) => startAfter ?? null),
    all.map(({ startAfter }) => startAfter !== undefined),
    now,
  ]);
}

describe('update_tasks', () => {
  it('changes what is given, and leaves the rest', async () => {
    await box.insert(spec('a'), spec('b'), spec('c'));
    await box.rows(`update task set body = '"old"'`);
    await update({ a: { body: { at: 1 } }, b: { priority: 3 }, c: { body: null } }, at(5));
    expect(await box.rows('select id, body, priority, updated_at from task order by id')).toEqual([
      { id: 'a', body: { at: 1 }, priority: 0, updated_at: at(5) },
      { id: 'b', body: 'old', priority: 3, updated_at: at(5) },
      { id: 'c', body: null, priority: 0, updated_at: at(5) },
    ]);
  });

  it('moves a ready task to the end of its new priority, and leaves one whose place stays', async () => {
    await box.insert(spec('a'), spec('b'), spec('c', { priority: 1 }), spec('d'));
    await update({ a: { priority: 1 }, b: { priority: 0, body: 1, startAfter: at(-1) }, d: {} });
    expect(await box.ready()).toEqual(['c', 'a', 'b', 'd']);
    expect((await box.own({ maxTasks: 2 })).map(({ id }) => id)).toEqual(['c', 'a']);
  });

  it('puts a ready task off, and brings a delayed one forward, back, or at once', async () => {
    const later = { startAfterMs: at(60).getTime() };
    await box.insert(
      spec('a'),
      spec('b', later),
      spec('c', later),
      spec('d', later),
      spec('e', later),
    );
    await update({
      a: { startAfter: at(30) },
      b: { startAfter: at(10) },
      c: { startAfter: at(90) },
      d: { startAfter: null },
      e: { startAfter: at(-5) },
    });
    expect(await box.ready()).toEqual(['d', 'e']);
    const readyAt = async (seconds: number) => {
      await box.rows('select run_timers($1)', [at(seconds)]);
      return (await box.ready()).filter((id) => id !== 'd' && id !== 'e');
    };
    expect(await readyAt(9)).toEqual([]);
    expect(await readyAt(10)).toEqual(['b']);
    expect(await readyAt(60)).toEqual(['b', 'a']);
    expect(await readyAt(89)).toEqual(['b', 'a']);
    expect(await readyAt(90)).toEqual(['b', 'a', 'c']);
    expect(await box.task('d', 'start_after, due_at')).toEqual({ start_after: null, due_at: null });
  });

  it('ends a retry delay', async () => {
    await box.insert(spec('a', { retryDelayMs: 60_000 }));
    await box.giveBack(await box.own(), 'pending');
    await update({ a: { startAfter: null } });
    expect(await box.ready()).toEqual(['a']);
    expect(await box.task('a', 'num_tries')).toEqual({ num_tries: 1 });
  });

  it('holds for a task that waits for signals, once they are in', async () => {
    await box.insert(
      spec('up', { action: 'upstream', targets: ['a', 'b'] }),
      spec('a', { startAfterMs: at(60).getTime() }),
      spec('b'),
      spec('other', { priority: 1 }),
    );
    await update({ a: { startAfter: null, priority: 2 }, b: { startAfter: at(30) } });
    expect(await box.ready()).toEqual(['up', 'other']);
    await box.giveBack(await box.own({ actions: ['upstream'] }));
    expect(await box.ready()).toEqual(['a', 'other']);
    await box.rows('select run_timers($1)', [at(30)]);
    expect(await box.ready()).toEqual(['a', 'other', 'b']);
  });

  it('puts off a delayed milestone, and settles one that is due at once', async () => {
    const later = { action: null, startAfterMs: at(60).getTime() };
    await box.insert(spec('m', later), spec('n', { ...later, targets: ['after'] }), spec('after'));
    await update({ m: { startAfter: at(90) }, n: { startAfter: null } });
    expect(await box.statuses()).toEqual({ m: 'pending', n: 'completed', after: 'pending' });
    expect(await box.ready()).toEqual(['after']);
  });

  it('raises SB001 with the tasks that do not exist, and changes none', async () => {
    await box.insert(spec('a'));
    await expectRaise(update({ z: {}, a: { priority: 1 }, b: {} }), 'SB001', ['b', 'z']);
    expect(await box.task('a', 'priority')).toEqual({ priority: 0 });
  });

  it('raises SB007 with the tasks that have begun or ended, and changes none', async () => {
    await box.insert(
      spec('a', { action: 'other' }),
      spec('b'),
      spec('c', { action: 'other' }),
      spec('d'),
    );
    const held = await box.own({ actions: ['other'] });
    await box.giveBack(held.filter(({ id }) => id === 'c'));
    const changes = { d: { priority: 1 }, c: {}, a: {}, b: {} };
    await expectRaise(update(changes), 'SB007', ['a', 'c']);
    expect(await box.task('d', 'priority')).toEqual({ priority: 0 });
  });

  it('does not wait for an owner that is taking the task: raises SB007', async () => {
    await box.insert(spec('a'), spec('b'));
    // 1. A claim has taken a out of its lane and has not come to its row.
    const claim = await box.sessionThat(`select * from ready where id = 'a' for update`);
    // 2. What moves the task is refused at once.
    await expectRaise(update({ a: { priority: 1 } }), 'SB007', ['a']);
    await expectRaise(update({ a: { startAfter: at(5) } }), 'SB007', ['a']);
    // 3. What does not is done: the owner gets the new body.
    await update({ a: { body: 'new' }, b: { priority: 1 } });
    await claim.query('rollback');
    expect(await box.task('a', 'body, priority')).toEqual({ body: 'new', priority: 0 });
  });

  it('waits for a return that signals the task, and then moves it', async () => {
    await box.insert(spec('up', { action: 'upstream', targets: ['a'] }), spec('a'));
    const [held] = await box.own({ actions: ['upstream'] });
    // 1. A session returns up, which makes a ready once it commits.
    const returning = await box.sessionThat(
      `select return_tasks(array[$1], array[$2::uuid], '{completed}')`,
      [held?.id, held?.token],
    );
    // 2. Another puts a off, and waits.
    const updating = update({ a: { startAfter: at(30) } });
    await box.untilSomebodyWaitsFor(returning);
    // 3. The first commits; a leaves its lane.
    await returning.query('commit');
    await updating;
    expect(await box.ready()).toEqual([]);
    await box.rows('select run_timers($1)', [at(30)]);
    expect(await box.ready()).toEqual(['a']);
  });

  it('does not wait for the owner of a task that was owned while it waited for another', async () => {
    await box.insert(spec('a'), spec('b', { action: 'other' }));
    // 1. A session has a: an update of a and b waits for it, b being pending.
    const first = await box.sessionThat(`select * from task where id = 'a' for update`);
    const updating = expectRaise(update({ a: { priority: 1 }, b: { priority: 1 } }), 'SB007', [
      'b',
    ]);
    await box.untilSomebodyWaitsFor(first);
    // 2. Meanwhile b is owned, and somebody is about to end it.
    const held = await box.own({ actions: ['other'] });
    await box.sessionThat(`select return_tasks(array[$1], array[$2::uuid], '{completed}')`, [
      held[0]?.id,
      held[0]?.token,
    ]);
    // 3. The update goes on and refuses b at once.
    await first.query('commit');
    await updating;
    expect(await box.task('a', 'priority')).toEqual({ priority: 0 });
  });

  it('changes nothing for no ids', async () => {
    await update({});
  });
});
