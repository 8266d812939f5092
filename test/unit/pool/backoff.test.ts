import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backoffMs } from '../../../src/pool/backoff.js';

const middle = () => 0.5;

it('is constant unless it has a factor', () => {
  expect([1, 2, 3, 50].map((n) => backoffMs({ delayMs: 40 }, n, middle))).toEqual([40, 40, 40, 40]);
});

it('grows by its factor up to its limit', () => {
  const policy = { delayMs: 100, factor: 3, maxDelayMs: 1_000 };
  expect([1, 2, 3, 4, 5].map((n) => backoffMs(policy, n, middle))).toEqual([
    100, 300, 900, 1_000, 1_000,
  ]);
});

it('varies by its jitter, either way', () => {
  const policy = { delayMs: 100, jitter: 0.2 };
  expect(backoffMs(policy, 1, () => 0)).toBeCloseTo(80);
  expect(backoffMs(policy, 1, middle)).toBeCloseTo(100);
  expect(backoffMs(policy, 1, () => 1 - Number.EPSILON)).toBeCloseTo(120);
});

it('still varies when it has grown to its limit', () => {
  const policy = { delayMs: 100, factor: 2, maxDelayMs: 400, jitter: 0.5 };
  expect(backoffMs(policy, 40, () => 0)).toBe(200);
  expect(backoffMs(policy, 40, () => 0.99)).toBe(400);
});

it('is a finite time within its limit, whatever the policy and attempt', () => {
  const policies = fc.record({
    delayMs: fc.double({ min: 0, max: 1e300, noNaN: true }),
    factor: fc.double({ min: 1, max: 1e300, noNaN: true }),
    maxDelayMs: fc.option(fc.nat(), { nil: undefined }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const attempts = fc.integer({ min: 1 });
  const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(policies, attempts, randoms, (policy, attempt, random) => {
      const ms = backoffMs(policy, attempt, () => random);
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(policy.maxDelayMs ?? 3_155_760_000_000);
    }),
  );
});
