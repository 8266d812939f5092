import { expect, test } from 'vitest';
import { ClaimCursor } from '../../../src/store/claim-cursor.js';

const LANE = ['default', 'work'] as const;
const claimed = [{ queue: 'default', action: 'work', priority: 0, seq: 5_000 }];

function cursorAt(startMs: number) {
  const clock = { ms: startMs };
  const cursor = new ClaimCursor(() => clock.ms);
  return { clock, cursor };
}

test('it stays a margin behind the first that was claimed, for rows commit out of order', () => {
  const { cursor } = cursorAt(0);
  cursor.reset();
  cursor.advance(claimed);
  expect(cursor.at(...LANE)).toEqual({ priority: 0, seq: 3_000 });
  expect(cursor.at('default', 'other')).toBeUndefined();
});

test('it begins at the beginning once a second', () => {
  const { clock, cursor } = cursorAt(0);
  cursor.reset();
  cursor.advance(claimed);
  clock.ms = 999;
  expect(cursor.at(...LANE)).toBeDefined();
  clock.ms = 1_000;
  expect(cursor.at(...LANE)).toBeUndefined();
});

test('it does so less often when that takes long: a fortieth of the time at most', () => {
  const { clock, cursor } = cursorAt(0);
  cursor.reset();
  cursor.tookFromBeginning(500);
  cursor.advance(claimed);
  clock.ms = 19_999;
  expect(cursor.at(...LANE)).toBeDefined();
  clock.ms = 20_000;
  expect(cursor.at(...LANE)).toBeUndefined();
});
