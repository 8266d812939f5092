import { expect, it } from 'vitest';
import { at, NOW, spec, useSqlBox } from './sql-box.js';

const box = useSqlBox();

it('count_tasks counts by queue, action and status', async () => {
  await box.insert(
    spec('a/1'),
    spec('a/2'),
    spec('a/3', { action: 'other' }),
    spec('b', { queue: 'far' }),
    spec('m', { action: null, givenTotal: 1 }),
  );
  await box.giveBack(await box.own({ actions: ['other'] }));
  expect(await box.rows(`select * from count_tasks('', null)`)).toEqual([
    { queue: 'default', action: 'other', status_code: 'completed', count: '1' },
    { queue: 'default', action: 'work', status_code: 'pending', count: '2' },
    { queue: 'default', action: null, status_code: 'pending', count: '1' },
    { queue: 'far', action: 'work', status_code: 'pending', count: '1' },
  ]);
});

it.each([
  ['a range of ids', [['a/', 'a0']], 3],
  ['actions', ['', null, ['work']], 3],
  ['queues', ['', null, null, ['far']], 1],
  ['status codes', ['', null, null, null, ['completed', 'aborted']], 1],
  ['times of change', ['', null, null, null, null, at(1)], 1],
  ['other times of change', ['', null, null, null, null, null, at(1)], 3],
  ['times of the end', ['', null, null, null, null, null, null, at(11)], 1],
  ['times before the end', ['', null, null, null, null, null, null, at(10)], 0],
])('count_tasks counts those that fit %s', async (_, values, expected) => {
  await box.insert(spec('a/1'), spec('a/2', { action: 'other' }), spec('a/3'));
  await box.insert(spec('b', { queue: 'far' }));
  await box.rows('update task set updated_at = $1', [NOW]);
  await box.giveBack(await box.own({ actions: ['other'] }), 'completed', at(10));
  const given = values.flat(values.length === 1 ? 1 : 0);
  const names = given.map((value, i) => `$${i + 1}${Array.isArray(value) ? (casts[i] ?? '') : ''}`);
  expect(
    Number(
      await box.value(
        `select coalesce(sum(count), 0) from count_tasks(${names.join(', ')})`,
        given,
      ),
    ),
  ).toBe(expected);
});

const casts: Readonly<Record<number, string>> = { 4: '::status_code[]' };
