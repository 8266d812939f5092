import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/cli/duration.js';

test.each([
  ['1500ms', 1_500],
  ['90s', 90_000],
  ['5m', 300_000],
  ['2.5h', 9_000_000],
  ['7d', 604_800_000],
  [' 3 s ', 3_000],
  ['0s', 0],
])('parseDuration reads %s', (text, durationMs) => {
  expect(parseDuration(text)).toBe(durationMs);
});

test.each(['', '5', 's', '-5s', '5 minutes', '1e3s', '5m30s', 'toString'])(
  'parseDuration refuses %j',
  (text) => {
    expect(() => parseDuration(text)).toThrow(InvalidArgumentError);
  },
);

test.each([
  [0, '0ms'],
  [850.4, '850ms'],
  [4_240, '4.2s'],
  [9_960, '10s'],
  [59_900, '1m 00s'],
  [65_000, '1m 05s'],
  [7_620_000, '2h 07m'],
  [86_399_000, '1d 00h'],
  [273_600_000, '3d 04h'],
])('formatDuration shows %d ms as %s', (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text);
});
