import { describe, expect, it } from 'vitest';
import { WatchedPromise } from '../../../src/run/watched-promise.js';
import { rejection } from '../../support/factories.js';

describe('a watched promise', () => {
  it('knows whether anybody waited for it', async () => {
    const waited = WatchedPromise.of(Promise.resolve(1));
    const left = WatchedPromise.of(Promise.resolve(2));
    const [together] = [WatchedPromise.of(Promise.resolve(3))];
    expect(await waited).toBe(1);
    expect(await Promise.all([together])).toEqual([3]);
    expect([waited, left, together].map(({ isWatched }) => isWatched)).toEqual([true, false, true]);
  });

  it('that is rejected ends no process, and rejects whoever waits, however late', async () => {
    const seen: unknown[] = [];
    const listener = (reason: unknown) => seen.push(reason);
    process.on('unhandledRejection', listener);
    const failed = WatchedPromise.of(Promise.reject(new Error('no')));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listener);
    expect(seen).toEqual([]);
    expect(failed.isWatched).toBe(false);
    expect(await rejection(failed)).toMatchObject({ message: 'no' });
  });
});
