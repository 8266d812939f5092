import { expect, test } from 'vitest';
import { CycleError, DuplicateTaskError } from '../../../src/errors.js';
import { checkBatch } from '../../../src/graph/checks.js';
import { TaskIndex } from '../../../src/graph/task-index.js';

type Edges = readonly (readonly [id: string, ...targets: string[]])[];

function indexOf(tasks: Edges): TaskIndex {
  const index = new TaskIndex();
  for (const [id, ...targets] of tasks) index.add(id, targets);
  return index;
}

function faultOf(tasks: Edges): unknown {
  try {
    checkBatch(indexOf(tasks));
  } catch (error) {
    return error;
  }
  return null;
}

function outsideOf(tasks: Edges): string[] {
  const index = indexOf(tasks);
  return Array.from(checkBatch(index), (node) => index.idOf(node));
}

test('every id that occurs twice is named, once', () => {
  const fault = faultOf([['a'], ['b'], ['a'], ['c'], ['b'], ['a']]);
  expect(fault).toBeInstanceOf(DuplicateTaskError);
  expect(fault).toMatchObject({ code: 'DUPLICATE_TASK', ids: ['a', 'b'] });
});

test('duplicates are reported before cycles', () => {
  expect(faultOf([['a', 'a'], ['a']])).toBeInstanceOf(DuplicateTaskError);
});

test('a cycle is named in the order of its edges', () => {
  const fault = faultOf([['start', 'c'], ['a', 'b'], ['c', 'a', 'end'], ['b', 'c'], ['end']]);
  expect(fault).toBeInstanceOf(CycleError);
  const text = fault instanceof CycleError ? [...fault.ids, ...fault.ids].join('') : '';
  expect(text).toContain('abc');
  expect(text).toHaveLength(6);
});

test('a task that lists itself is a cycle of one', () => {
  expect(faultOf([['b'], ['a', 'b', 'a']])).toMatchObject({ code: 'CYCLE', ids: ['a'] });
});

test('a target may be read before or after the tasks that list it', () => {
  expect(outsideOf([['end'], ['a', 'end', 'late'], ['late']])).toEqual([]);
});

test('targets outside the batch come in the order of their bytes, each once', () => {
  const tasks: Edges = [
    ['a', '\u{1f600}', 'z', '\uff5e'],
    ['b', 'z', 'A'],
  ];
  expect(outsideOf(tasks)).toEqual(['A', 'z', '\uff5e', '\u{1f600}']);
});

test('a batch without tasks passes', () => {
  expect(outsideOf([])).toEqual([]);
});
