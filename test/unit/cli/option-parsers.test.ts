import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import { parseTime } from '../../../src/cli/option-parsers.js';

test.each([
  ['2026-05-01', '2026-05-01T00:00:00.000Z'],
  ['2026-05-01T12:30:00Z', '2026-05-01T12:30:00.000Z'],
  ['2026-05-01T12:30:00.5+02:00', '2026-05-01T10:30:00.500Z'],
])('parseTime reads %s', (text, time) => {
  expect(parseTime(text).toISOString()).toBe(time);
});

test('parseTime reads how long ago', () => {
  const agoMs = Date.now() - parseTime('90m').getTime();
  expect(Math.round(agoMs / 60_000)).toBe(90);
});

test.each(['', 'yesterday', '5', '2026-13-45', '2026', '12:00'])('parseTime refuses %j', (text) => {
  expect(() => parseTime(text)).toThrow(InvalidArgumentError);
});
