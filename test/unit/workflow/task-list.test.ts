import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/store/task-store.js';
import { InvalidFileError } from '../../../src/workflow/invalid-file-error.js';
import { isTaskList, parseTaskList } from '../../../src/workflow/task-list.js';

describe('parseTaskList', () => {
  test('reads an array and an object with tasks alike', () => {
    const tasks = [{ id: 'a', action: 'noop' }];
    expect(parseTaskList(tasks)).toEqual(tasks);
    expect(parseTaskList({ tasks })).toEqual(tasks);
  });

  test('keeps every field, times as dates', () => {
    const task = {
      id: 'a',
      action: 'copy',
      body: { deep: [1, null] },
      toSignalAfter: ['b'],
      totalDependencies: 2,
      queue: 'slow',
      priority: -3,
      maxTries: 5,
      retry: { delayMs: 10, factor: 2, maxDelayMs: 100 },
      maxDurationMs: 1_000,
      runWhen: 'any_failed',
      uniqueKey: 'k',
      notifyChannelAfter: 'ended',
    };
    expect(parseTaskList([{ ...task, startAfter: '2030-01-31T12:00:00+02:00' }])).toEqual([
      { ...task, startAfter: new Date('2030-01-31T10:00:00Z') },
    ]);
  });

  test('tells a milestone from an action that was forgotten', () => {
    expect(parseTaskList([{ id: 'm', action: null }])).toEqual([{ id: 'm', action: null }]);
    expect(() => parseTaskList([{ id: 'm' }])).toThrow('tasks[0].action is missing');
  });

  test('keeps a body of null', () => {
    expect(parseTaskList([{ id: 'a', action: 'x', body: null }])).toEqual([
      { id: 'a', action: 'x', body: null },
    ]);
  });

  test.each<[Json, string]>([
    [7, 'tasks'],
    [{ tasks: {} }, 'tasks'],
    [['a'], 'tasks[0]'],
    [[{ action: 'x' }], 'tasks[0].id'],
    [[{ id: 'a', action: 1 }], 'tasks[0].action'],
    [[{ id: 'a', action: 'x', dependsOn: ['b'] }], 'tasks[0].dependsOn'],
    [[{ id: 'a', action: 'x', 'run-when': 'all_done' }], 'tasks[0]["run-when"]'],
    [[{ id: 'a', action: 'x', toSignalAfter: ['b', 2] }], 'tasks[0].toSignalAfter[1]'],
    [[{ id: 'a', action: 'x', startAfter: '2030-01-31T12:00:00' }], 'tasks[0].startAfter'],
    [[{ id: 'a', action: 'x', startAfter: '2030-02-31' }], 'tasks[0].startAfter'],
    [[{ id: 'a', action: 'x', runWhen: 'never' }], 'tasks[0].runWhen'],
    [[{ id: 'a', action: 'x', retry: { factor: 2 } }], 'tasks[0].retry.delayMs'],
  ])('locates the fault of %j', (document, path) => {
    try {
      parseTaskList(document);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidFileError);
      expect(error).toMatchObject({ code: 'INVALID_FILE', path });
    }
  });
});

test('isTaskList goes by the outer form alone', () => {
  expect([[], { tasks: [] }, { tasks: 1 }, {}, null].map((json) => isTaskList(json))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
