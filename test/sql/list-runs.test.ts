import { expect, it } from 'vitest';
import { at, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

async function listed(from: string, end: string | null, ...more: unknown[]): Promise<unknown[]> {
  const rows = await box.rows('select id from list_runs($1, $2, $3, $4::status_code[])', [
    from,
    end,
    ...(more.length > 0 ? more : [100]),
    ...(more.length > 1 ? [] : [null]),
  ]);
  return rows.map(({ id }) => id);
}

const run = (id: string, graph = 'etl') => spec(id, { action: `${graph}@1.5ad0/~run` });

it('list_runs gives runs, not what is below them, whatever ids lie between a run and its tasks', async () => {
  await box.insert(
    run('etl/42'),
    spec('etl/42/a'),
    spec('etl/42/sub', { action: 'etl@1.5ad0/sub/~run' }),
    run('etl/42/x/~spawned/0', 'other'),
    run('etl/42-b'),
    spec('etl/42-b/a'),
    run('etl/42-b/a/~spawned/0', 'other'),
    run('etl/420'),
    run('zoo/1', 'zoo'),
    spec('plain'),
    spec('etl/none/a'),
  );
  expect((await listed('', null)).sort()).toEqual(['etl/42', 'etl/42-b', 'etl/420', 'zoo/1']);
  expect((await listed('etl/', 'etl0')).sort()).toEqual(['etl/42', 'etl/42-b', 'etl/420']);
  expect(await listed('nothing', 'nothinh')).toEqual([]);
});

it('list_runs gives none of an empty table', async () => {
  expect(await listed('', null)).toEqual([]);
});

it('list_runs gives the newest first, those in a state, and no more than asked for', async () => {
  await box.insert(run('etl/1'), run('etl/2'), run('etl/3'));
  for (const number of [1, 2, 3]) {
    await box.rows('update task set created_at = $1 where id = $2', [at(-number), `etl/${number}`]);
  }
  await box.rows('select cancel_tasks($1)', [['etl/2']]);
  expect(await listed('', null)).toEqual(['etl/1', 'etl/2', 'etl/3']);
  expect(await listed('', null, 2)).toEqual(['etl/1', 'etl/2']);
  expect(await listed('', null, 9, ['pending'])).toEqual(['etl/1', 'etl/3']);
  expect(await listed('', null, 9, ['cancelled', 'completed'])).toEqual(['etl/2']);
});

it('list_run_parts counts the items of maps, and gives every other task', async () => {
  const item = (id: string) => spec(id, { action: 'etl@1.5ad0/each' });
  await box.insert(
    run('etl/42'),
    spec('etl/42/each', { action: 'etl@1.5ad0/each/~join' }),
    item('etl/42/each/0'),
    item('etl/42/each/1'),
    item('etl/42/each/10'),
    spec('etl/42/7', { action: 'etl@1.5ad0/7' }),
    spec('etl/42/m', { action: null, givenTotal: 1 }),
    run('etl/42/x/~spawned/0', 'other'),
    spec('etl/420/each/0', { action: 'etl@1.5ad0/each' }),
  );
  await box.giveBack(
    await box.own({ actions: ['etl@1.5ad0/each'], maxTasks: 1 }),
    'completed',
    at(10),
  );
  const rows = await box.rows(
    'select id, status_code, started_at is null as waits, num_items from list_run_parts($1) order by 1, 2, 4',
    ['etl/42'],
  );
  const pending = { status_code: 'pending', waits: true, num_items: null };
  expect(rows).toEqual([
    { id: 'etl/42', ...pending },
    { id: 'etl/42/7', ...pending },
    { id: 'etl/42/each', ...pending, num_items: '2' },
    { id: 'etl/42/each', ...pending },
    { id: 'etl/42/each', status_code: 'completed', waits: false, num_items: '1' },
    { id: 'etl/42/m', ...pending },
    { id: 'etl/42/x/~spawned/0', ...pending },
  ]);
});
