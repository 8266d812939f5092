import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HeldTask, OwnedTask } from '../../../src/store/task-store.js';
import { type Lease, LeaseKeeper } from '../../../src/worker/lease-keeper.js';
import { LeaseLostError } from '../../../src/worker/worker-errors.js';
import { range } from '../../support/factories.js';
import { ownedTask } from './owned-task.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function lease(id: string, maxDurationMs: number | null): Lease & { lost: Error[] } {
  const task: OwnedTask = ownedTask(id, { maxDurationMs });
  const lost: Error[] = [];
  return {
    task,
    expiresAt: performance.now() + (maxDurationMs ?? Number.POSITIVE_INFINITY),
    lost,
    lose: (reason) => lost.push(reason),
  };
}

/** A keeper whose store answers as `extend` does; by default all are held. */
function keeping(extend = async (held: readonly HeldTask[]) => held.map(({ id }) => id)) {
  const beats: string[][] = [];
  const failures: unknown[] = [];
  const keeper = new LeaseKeeper({
    store: {
      extendTaskDeadlines: (held) => {
        beats.push(held.map(({ id }) => id));
        return extend(held);
      },
    },
    heartbeatMs: 5_000,
    maxDurationMs: 60_000,
    onFailed: (error) => failures.push(error),
  });
  return { keeper, beats, failures };
}

describe('heartbeats', () => {
  it('are one statement for all that is held, whatever their durations', async () => {
    const { keeper, beats } = keeping();
    for (const [id, ms] of Object.entries({ a: 60_000, b: 1_800_000 })) keeper.hold(lease(id, ms));
    keeper.hold(lease('forever', null));
    await vi.advanceTimersByTimeAsync(15_000);
    expect(beats).toEqual([
      ['a', 'b', 'forever'],
      ['a', 'b', 'forever'],
      ['a', 'b', 'forever'],
    ]);
  });

  it('extend what has used up a third of its lease, and only ask about the rest', async () => {
    const extended: string[][] = [];
    const { keeper, beats } = keeping(async (held) => {
      extended.push(held.flatMap(({ id, isAsked }) => (isAsked ? [] : [id])));
      return held.map(({ id }) => id);
    });
    const [short, long] = [lease('short', 12_000), lease('long', 60_000)];
    for (const one of [short, long, lease('forever', null)]) keeper.hold(one);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(beats).toEqual(range(5).map(() => ['short', 'long', 'forever']));
    expect(extended).toEqual([...range(4).map(() => ['short']), ['short', 'long']]);
    expect(long.expiresAt).toBe(performance.now() + 60_000);
  });

  it('come sooner while a short lease is held: three times in it', async () => {
    const { keeper, beats } = keeping();
    keeper.hold(lease('long', 60_000));
    const short = lease('short', 900);
    keeper.hold(short);
    await vi.advanceTimersByTimeAsync(900);
    expect(beats).toHaveLength(3);
    keeper.release(short);
    await vi.advanceTimersByTimeAsync(5_300);
    expect(beats).toHaveLength(5);
  });

  it('go on one at a time when a short lease comes while one is in flight', async () => {
    const { keeper, beats } = keeping(async (held) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return held.map(({ id }) => id);
    });
    keeper.hold(lease('long', 60_000));
    await vi.advanceTimersByTimeAsync(5_050);
    keeper.hold(lease('short', 3_000));
    await vi.advanceTimersByTimeAsync(50 + 10 * 1_100);
    expect(beats).toHaveLength(1 + 10);
  });

  it('stop when nothing is held, and at stop', async () => {
    const { keeper, beats } = keeping();
    const one = lease('a', 60_000);
    keeper.hold(one);
    keeper.release(one);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(beats).toEqual([]);
    keeper.hold(lease('b', 60_000));
    keeper.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(beats).toEqual([]);
  });

  it('lose what the database says is not held, and nothing else', async () => {
    const { keeper } = keeping(async () => ['b']);
    const [a, b] = [lease('a', 60_000), lease('b', 60_000)];
    keeper.hold(a);
    keeper.hold(b);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(a.lost).toEqual([expect.objectContaining({ code: 'INVALID_TOKEN', how: 'gone' })]);
    expect([b.lost, keeper.size]).toEqual([[], 1]);
  });
});

describe('the fence', () => {
  it('loses a lease before its deadline can pass at the server, if no heartbeat gets through', async () => {
    const { keeper, failures } = keeping(() => Promise.reject(new Error('connection lost')));
    const one = lease('a', 1_500);
    keeper.hold(one);
    await vi.advanceTimersByTimeAsync(1_499);
    expect(one.lost).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(one.lost).toEqual([expect.any(LeaseLostError)]);
    expect(one.lost).toMatchObject([{ how: 'unreachable' }]);
    expect([one.expiresAt, failures.length]).toEqual([0, 2]);
  });

  it('also while a heartbeat hangs', async () => {
    const { keeper } = keeping(() => new Promise(() => {}));
    const [short, long] = [lease('a', 1_500), lease('b', 4_000)];
    keeper.hold(short);
    keeper.hold(long);
    await vi.advanceTimersByTimeAsync(1_500);
    expect([short.lost.length, long.lost.length]).toEqual([1, 0]);
    await vi.advanceTimersByTimeAsync(2_500);
    expect(long.lost).toHaveLength(1);
  });

  it('counts from the moment of asking, not of the answer', async () => {
    let isDown = false;
    const { keeper } = keeping(async (held) => {
      if (isDown) throw new Error('connection lost');
      await new Promise((resolve) => setTimeout(resolve, 300));
      return held.map(({ id }) => id);
    });
    const one = lease('a', 1_500);
    keeper.hold(one);
    await vi.advanceTimersByTimeAsync(800);
    expect(one.expiresAt).toBe(performance.now() - 800 + 500 + 1_500);
    isDown = true;
    await vi.advanceTimersByTimeAsync(1_199);
    expect(one.lost).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(one.lost).toHaveLength(1);
  });

  it('is lifted by a heartbeat that gets through in time', async () => {
    let numFailures = 1;
    const { keeper } = keeping(async (held) => {
      if (numFailures-- > 0) throw new Error('connection lost');
      return held.map(({ id }) => id);
    });
    const one = lease('a', 2_400);
    keeper.hold(one);
    await vi.advanceTimersByTimeAsync(30_000);
    expect([one.lost, keeper.size]).toEqual([[], 1]);
  });
});
