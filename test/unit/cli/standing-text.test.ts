import { expect, test } from 'vitest';
import { formatStanding } from '../../../src/cli/standing-text.js';
import type { WaitReason } from '../../../src/index.js';

const NOW_MS = Date.UTC(2030, 0, 1);

function later(ms: number): Date {
  return new Date(NOW_MS + ms);
}

const CASES: [WaitReason, string][] = [
  [{ kind: 'ended', statusCode: 'completed', status: null }, 'It has ended; nothing more happens.'],
  [
    { kind: 'start-time', at: later(90_000), isRetry: true },
    'It is tried again 2030-01-01T00:01:30.000Z (in 1m 30s).',
  ],
  [
    { kind: 'owned', actorId: 'me', deadline: null, isBegun: false },
    'me has taken it and not begun yet; its ownership never lapses.',
  ],
  [
    { kind: 'owned', actorId: null, deadline: later(-60_000), isBegun: true },
    'an actor without a name performs it; its deadline passed 2029-12-31T23:59:00.000Z (1m 00s ago): it comes back when a worker asks for tasks.',
  ],
  [
    { kind: 'paused', queue: 'far', action: null, since: later(0) },
    'It is paused since 2030-01-01T00:00:00.000Z: signalbox resume --queue far.',
  ],
  [
    { kind: 'limit', key: 'k', limit: 2_000, inProgress: 2_001 },
    'Limit key k allows 2,000 at once, and 2,001 are being performed: it goes on when one ends, or the limit is raised.',
  ],
  [
    { kind: 'rate', key: 'k', rate: { count: 5, intervalMs: 60_000 }, until: later(1_000) },
    'Limit key k allows 5 in 1m 00s, which are used up until 2030-01-01T00:00:01.000Z (in 1.0s).',
  ],
  [{ kind: 'ready', numBefore: 1_200 }, 'It is ready, with 1,200 tasks before it in its lane.'],
  [{ kind: 'engine' }, 'The engine moves it on as soon as any worker asks for tasks.'],
];

test.each(CASES)('formatStanding says %j', (reason, sentence) => {
  const standing = { id: 'a', statusCode: 'pending', reasons: [reason] } as const;
  expect(formatStanding(standing, NOW_MS)).toEqual(['a is pending.', `  ${sentence}`]);
});

test('formatStanding says that tasks wait for each other, and how many it does not name', () => {
  const from = ['b', 'c'];
  const reasons: WaitReason[] = [{ kind: 'signals', missing: 5, from, roots: [] }];
  expect(formatStanding({ id: 'a', statusCode: 'pending', reasons }, NOW_MS)).toEqual([
    'a is pending.',
    '  It waits for 5 signals, from b, c and 3 more.',
    '  They wait for each other in a circle: cancel or delete one of them.',
  ]);
});
