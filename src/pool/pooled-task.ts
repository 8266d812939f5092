/** A task that a pool has accepted. */
export interface PooledTask<T> {
  /** Attempts begun. */
  readonly numAttempts: number;
  /** It has ended, whichever way. */
  readonly isSettled: boolean;
  /**
   * What the task returned, now or later; the same promise at every call.
   *
   * Rejects with PoolTaskError when the last attempt failed, PoolTaskCancelledError when its signal fired,
   * PoolStoppedError when stop() ran out of time. A failure that nobody has asked for by then is logged as an error.
   */
  result(): Promise<T>;
}
