import { expect, test } from 'vitest';
import { settlesWithin } from '../../src/timers.js';

const YEAR_MS = 365 * 86_400_000;

test('a promise that is fulfilled in time settles, however long it may take', async () => {
  const soon = new Promise((resolve) => setTimeout(resolve, 5));
  expect(await settlesWithin(soon, YEAR_MS)).toBe(true);
});

test('a promise that is not fulfilled in time does not, and rejects nobody later', async () => {
  let reject: (error: Error) => void = () => {};
  const late = new Promise((_resolve, onRejected) => {
    reject = onRejected;
  });
  expect(await settlesWithin(late, 5)).toBe(false);
  reject(new Error('too late'));
});

test('a promise that is rejected in time rejects with its reason', async () => {
  const error = new Error('no');
  await expect(settlesWithin(Promise.reject(error), 1_000)).rejects.toBe(error);
});
