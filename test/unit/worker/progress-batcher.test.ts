import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProgressReport } from '../../../src/store/task-store.js';
import { ProgressBatcher } from '../../../src/worker/progress-batcher.js';
import { range } from '../../support/factories.js';
import { jobOf, ownedTask } from './owned-task.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A batcher whose store answers as `send` does. */
function reporting(send: () => Promise<string[]> = async () => []) {
  const sent: Record<string, unknown>[] = [];
  const failures: number[] = [];
  const batcher = new ProgressBatcher({
    store: {
      reportProgress: (reports: readonly ProgressReport[]) => {
        sent.push(Object.fromEntries(reports.map(({ id, progress }) => [id, progress])));
        return send();
      },
    },
    intervalMs: 1_000,
    onFailed: (_, numTasks) => failures.push(numTasks),
  });
  return { batcher, sent, failures };
}

const job = (id: string) => jobOf(ownedTask(id));

describe('reports of progress', () => {
  it('go at once when none went before, those of one turn together', async () => {
    const { batcher, sent } = reporting();
    batcher.add(job('a'), { done: 1 });
    batcher.add(job('b'), { done: 2, total: 3, message: 'half' });
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual([{ a: { done: 1 }, b: { done: 2, total: 3, message: 'half' } }]);
  });

  it('go once a second, the latest of each task, in one statement for all', async () => {
    const { batcher, sent } = reporting();
    const jobs = ['a', 'b'].map(job);
    for (const done of range(35)) {
      for (const one of jobs) batcher.add(one, { done });
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(sent).toEqual([0, 9, 19, 29].map((done) => ({ a: { done }, b: { done } })));
  });

  it('cost nothing while there are none', async () => {
    const { batcher, sent } = reporting();
    batcher.add(job('a'), { done: 1 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
    batcher.add(job('a'), { done: 2 });
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toHaveLength(2);
  });

  it('are dropped once their task is decided', async () => {
    const { batcher, sent } = reporting();
    const [a, b] = [job('a'), job('b')];
    for (const one of [a, b]) batcher.add(one, { done: 1 });
    a.lose(new Error('gone'));
    await vi.advanceTimersByTimeAsync(0);
    batcher.add(a, { done: 2 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toEqual([{ b: { done: 1 } }]);
  });

  it('that failed go with the next, unless there is a later one', async () => {
    const send = vi.fn(async (): Promise<string[]> => []);
    send.mockRejectedValueOnce(new Error('no connection'));
    const { batcher, sent, failures } = reporting(send);
    const [a, b, c] = [job('a'), job('b'), job('c')];
    for (const one of [a, b, c]) batcher.add(one, { done: 1 });
    await vi.advanceTimersByTimeAsync(0);
    expect(failures).toEqual([3]);
    batcher.add(b, { done: 2 });
    c.lose(new Error('gone'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent.at(-1)).toEqual({ a: { done: 1 }, b: { done: 2 } });
  });

  it('wait for a statement that takes longer than a second', async () => {
    let answer = (_: string[]): void => {};
    const { batcher, sent } = reporting(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    const a = job('a');
    batcher.add(a, { done: 1 });
    await vi.advanceTimersByTimeAsync(0);
    batcher.add(a, { done: 2 });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent).toHaveLength(1);
    answer([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toHaveLength(2);
  });

  it('hold nothing that Postgres would refuse, and that would cost the others theirs', async () => {
    const { batcher, sent } = reporting();
    const total = Number.POSITIVE_INFINITY;
    batcher.add(job('a'), { done: Number.NaN, total, message: 'a\0b\ud83d' });
    batcher.add(job('b'), { done: 1, message: `${'x'.repeat(999)}😀` });
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual([
      {
        a: { done: 0, message: 'a\ufffdb\ufffd' },
        b: { done: 1, message: `${'x'.repeat(999)}\ufffd` },
      },
    ]);
  });

  it('end when it is stopped', async () => {
    const { batcher, sent } = reporting();
    batcher.add(job('a'), { done: 1 });
    batcher.stop();
    batcher.add(job('b'), { done: 1 });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
