import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { Output } from '../../../src/cli/output.js';
import { Progress } from '../../../src/cli/progress.js';
import { formatProgress, type ProgressCounts } from '../../../src/cli/progress-text.js';

describe('formatProgress', () => {
  test('shows counts, share, rate, time left and failures', () => {
    const counts = { done: 1_204, failed: 3, total: 10_000 };
    expect(formatProgress(counts, 3_400)).toBe(
      '1,204/10,000 tasks  12%  3,400/s  ETA 2.6s  3 failed',
    );
  });

  test('leaves out what is not known or zero', () => {
    expect(formatProgress({ done: 5, failed: 0, total: null }, 1.25)).toBe('5 tasks  1.3/s');
    expect(formatProgress({ done: 0, failed: 0, total: 9 }, 0)).toBe('0/9 tasks  0%  0.0/s');
  });

  test('never shows 100% before all is done', () => {
    expect(formatProgress({ done: 999, failed: 0, total: 1_000 }, 10)).toContain('  99%  ');
  });
});

/** Progress over streams that keep what is written, with counts and a clock that the test sets. */
function progressUnderTest({ isTTY = false, isJson = false } = {}) {
  const stderr = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 30 });
  const output = new Output({ stdout: new PassThrough(), stderr, isJson });
  const state: { counts: ProgressCounts; nowMs: number } = {
    counts: { done: 0, failed: 0, total: 100 },
    nowMs: 0,
  };
  const progress = new Progress({ output, counts: () => state.counts, now: () => state.nowMs });
  const written = () => String(stderr.read() ?? '');
  const advance = (nowMs: number, done: number) => {
    state.nowMs = nowMs;
    state.counts = { ...state.counts, done };
    progress.show();
  };
  return { output, progress, advance, written };
}

describe('Progress', () => {
  test('takes the rate from the last five seconds', () => {
    const { progress, advance, written } = progressUnderTest();
    using _ = progress;
    progress.start();
    advance(1_000, 40);
    expect(written()).toBe('40/100 tasks  40%  40/s  ETA 1.5s\n');
    advance(10_000, 40);
    advance(11_000, 60);
    expect(written()).toContain('60/100 tasks  60%  2.0/s');
  });

  test('says nothing where nothing has changed', () => {
    const { progress, advance, written } = progressUnderTest();
    using _ = progress;
    progress.start();
    advance(1_000, 10);
    written();
    advance(2_000, 10);
    expect(written()).toBe('');
  });

  test('rewrites one line, cut to the width of the terminal, and gives it up to others', () => {
    const { output, progress, advance, written } = progressUnderTest({ isTTY: true });
    using _ = progress;
    progress.start();
    advance(1_000, 50);
    expect(written()).toBe('\r\u001b[2K50/100 tasks  50%  50/s  ETA ');
    output.note('a remark');
    expect(written()).toBe('\r\u001b[2Ka remark\n');
    progress.stop();
    expect(written()).toBe('');
  });

  test('is a JSON line for programs', () => {
    const { progress, advance, written } = progressUnderTest({ isTTY: true, isJson: true });
    using _ = progress;
    progress.start();
    advance(2_000, 50);
    expect(JSON.parse(written())).toEqual({
      progress: { done: 50, failed: 0, total: 100, perSecond: 25, etaMs: 2_000 },
    });
  });
});
