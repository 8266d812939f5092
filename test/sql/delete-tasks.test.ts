import { describe, expect, it } from 'vitest';
import { at, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

function deleteTasks(...ids: string[]) {
  return box.value('select delete_tasks($1)', [ids]);
}

function left(): Promise<unknown[]> {
  return box.values('select id from task order by id');
}

describe('delete_tasks', () => {
  it('deletes tasks in any state, with their rows in ready and their unique keys', async () => {
    await box.insert(
      spec('ready', { uniqueKey: 'key 1' }),
      spec('waiting', { givenTotal: 1, uniqueKey: 'key 2' }),
      spec('owned', { action: 'other', uniqueKey: 'key 3' }),
    );
    const held = await box.own({ actions: ['other'] });
    expect(await deleteTasks('ready', 'waiting', 'owned', 'unknown')).toBe(3);
    expect(await left()).toEqual([]);
    expect(await box.ready()).toEqual([]);
    expect(await box.values('select key from unique_key')).toEqual([]);
    expect(await box.giveBack(held)).toEqual([{ id: 'owned', status_code: null }]);
  });

  it('keeps the unique key that a later task holds', async () => {
    await box.insert(spec('a', { uniqueKey: 'key' }));
    await box.giveBack(await box.own());
    await box.insert(spec('b', { uniqueKey: 'key' }));
    await deleteTasks('a');
    expect(await box.rows('select key, task_id from unique_key')).toEqual([
      { key: 'key', task_id: 'b' },
    ]);
  });

  it('deletes waiting tasks that are left with nothing to wait for, recursively', async () => {
    await box.insert(
      spec('a', { targets: ['b', 'd'] }),
      spec('b', { targets: ['c'] }),
      spec('c', { targets: ['d'] }),
      spec('d'),
    );
    expect(await deleteTasks('a')).toBe(4);
    expect(await left()).toEqual([]);
  });

  it('keeps those that still wait for others, with a signal less to wait for', async () => {
    await box.insert(spec('a', { targets: ['c'] }), spec('b', { targets: ['c'] }), spec('c'));
    expect(await deleteTasks('a')).toBe(1);
    expect(await box.task('c', 'total_dependencies, num_signals')).toEqual({
      total_dependencies: 1,
      num_signals: 0,
    });
    await box.giveBack(await box.own());
    expect(await box.ready()).toEqual(['c']);
  });

  it('leaves alone the targets of a task that has ended', async () => {
    box.test.allow({ signalsMayOutnumberSenders: true });
    await box.insert(spec('a', { targets: ['c'] }), spec('b', { targets: ['c'] }), spec('c'));
    await box.giveBack(await box.own({ maxTasks: 1 }));
    expect(await deleteTasks('a')).toBe(1);
    expect(await box.task('c', 'total_dependencies, num_signals')).toEqual({
      total_dependencies: 2,
      num_signals: 1,
    });
  });

  it('does not delete by cascade a task that has begun or could begin', async () => {
    await box.insert(
      spec('a', { targets: ['owned', 'ready'] }),
      spec('owned', { action: 'other', givenTotal: 0 }),
      spec('ready', { givenTotal: 0 }),
    );
    await box.own({ actions: ['other'] });
    expect(await deleteTasks('a')).toBe(1);
    expect(await left()).toEqual(['owned', 'ready']);
  });

  it('counts each edge once when sender and target go together', async () => {
    await box.insert(spec('a', { targets: ['b', 'c'] }), spec('b', { targets: ['c'] }), spec('c'));
    expect(await deleteTasks('a', 'b', 'c')).toBe(3);
  });

  it('passes over tasks in progress when told to spare them', async () => {
    await box.insert(
      spec('owned', { action: 'other', targets: ['after'] }),
      spec('ready'),
      spec('after', { givenTotal: 2 }),
    );
    await box.own({ actions: ['other'] });
    const spare = `select delete_tasks('{owned,ready}', p_spares_owned => true)`;
    expect(await box.value(spare)).toBe(1);
    expect(await left()).toEqual(['after', 'owned']);
    expect(await box.task('after', 'total_dependencies')).toEqual({ total_dependencies: 2 });
    expect(await box.value(spare)).toBe(0);
  });

  it('deletes the attempts, too', async () => {
    await box.insert(spec('a', { targets: ['c'] }), spec('b'), spec('c'));
    await box.giveBack(await box.own(), 'pending');
    expect(await deleteTasks('a')).toBe(2);
    expect(await box.values('select task_id from attempt')).toEqual(['b']);
  });

  it('keeps the unique key of a deleted task for as long as was asked', async () => {
    await box.insert(
      spec('a', { uniqueKey: 'k', uniqueForMs: 10_000 }),
      spec('b', { uniqueKey: 'l', uniqueForMs: 10_000 }),
    );
    const remove = (id: string, seconds: number) =>
      box.rows('select delete_tasks(array[$1], p_now => $2)', [id, at(seconds)]);
    await remove('a', 9);
    await remove('b', 10);
    expect(await box.rows('select key, task_id, is_released from unique_key')).toEqual([
      { key: 'k', task_id: 'a', is_released: true },
    ]);
  });

  it('deletes nothing for no ids', async () => {
    expect(await deleteTasks()).toBe(0);
  });
});
