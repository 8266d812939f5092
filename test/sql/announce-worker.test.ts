import { afterEach, describe, expect, it } from 'vitest';
import { at, NOW, useSqlBox } from './sql-box.js';

const box = useSqlBox();
afterEach(() => box.rows('truncate worker'));

const ID = '00000000-0000-4000-8000-000000000001';

function announce(id: string, actor = 'me', now = NOW, actions = ['work']): Promise<unknown> {
  return box.rows(`select announce_worker($1, $2, '{default}', $3, '1 minute', $4)`, [
    id,
    actor,
    actions,
    now,
  ]);
}

function there(now = NOW): Promise<unknown[]> {
  return box.values('select actor_id from list_workers($1)', [now]);
}

describe('announce_worker', () => {
  it('says that a worker is there until its time is over', async () => {
    await announce(ID);
    expect(await there(at(59))).toEqual(['me']);
    expect(await there(at(60))).toEqual([]);
  });

  it('said again, changes what it performs and how long it is there, not since when', async () => {
    await announce(ID);
    await announce(ID, 'renamed', at(30), ['work', 'more']);
    expect(await box.rows('select * from list_workers($1)', [at(70)])).toEqual([
      {
        id: ID,
        actor_id: 'renamed',
        queues: ['default'],
        actions: ['work', 'more'],
        started_at: NOW,
        alive_until: at(90),
      },
    ]);
  });
});

describe('retire_worker', () => {
  it('says that it is gone', async () => {
    await announce(ID);
    await announce(ID.replace('1', '2'), 'other');
    await box.rows('select retire_worker($1)', [ID]);
    expect(await there()).toEqual(['other']);
  });
});

describe('list_workers', () => {
  it('lists those that came first, first', async () => {
    await announce(ID, 'late', at(2));
    await announce(ID.replace('1', '2'), 'early', at(1));
    expect(await there(at(3))).toEqual(['early', 'late']);
  });
});
