import { expect, test } from 'vitest';
import { IntList } from '../../../src/graph/int-list.js';

test('an IntList keeps what was pushed, however often it grew', () => {
  const list = new IntList(1);
  for (let i = 0; i < 1000; i++) list.push(-i);
  expect(list.length).toBe(1000);
  expect(list.at(0)).toBe(0);
  expect(list.at(999)).toBe(-999);
});

test('an IntList of zeros can be added to', () => {
  const list = IntList.zeros(3);
  list.add(2, 5);
  list.add(2, -7);
  expect([list.at(0), list.at(1), list.at(2)]).toEqual([0, 0, -2]);
});

test('an IntList of no capacity grows', () => {
  const list = IntList.zeros(0);
  list.push(7);
  expect(list.at(0)).toBe(7);
});

test('an IntList refuses positions outside it, even within its memory', () => {
  const list = new IntList(10);
  list.push(1);
  for (const position of [-1, 1, 5, 100]) {
    expect(() => list.at(position)).toThrow(RangeError);
    expect(() => list.set(position, 0)).toThrow(RangeError);
  }
});
