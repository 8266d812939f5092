import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../../src/pool/clock.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
});

it.each([0, 1, LONGEST_TIMER_MS, LONGEST_TIMER_MS + 1, 5 * LONGEST_TIMER_MS])(
  'calls back once, after %s ms',
  (delayMs) => {
    let numCalls = 0;
    systemClock.after(delayMs, () => numCalls++);
    vi.advanceTimersByTime(Math.max(0, delayMs - 1));
    expect(numCalls).toBe(delayMs === 0 ? 1 : 0);
    vi.advanceTimersByTime(1);
    vi.advanceTimersByTime(LONGEST_TIMER_MS);
    expect(numCalls).toBe(1);
  },
);

it('never asks for a timer that Node would fire at once', () => {
  const setTimer = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => setTimer.mockRestore());
  systemClock.after(3 * LONGEST_TIMER_MS, () => {});
  vi.advanceTimersByTime(3 * LONGEST_TIMER_MS);
  for (const [, delayMs] of setTimer.mock.calls) {
    expect(delayMs).toBeLessThanOrEqual(LONGEST_TIMER_MS);
  }
});

it('does not call back once cancelled, in whichever of its timers', () => {
  let numCalls = 0;
  const cancel = systemClock.after(3 * LONGEST_TIMER_MS, () => numCalls++);
  vi.advanceTimersByTime(2 * LONGEST_TIMER_MS);
  cancel();
  vi.advanceTimersByTime(2 * LONGEST_TIMER_MS);
  expect(numCalls).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});
