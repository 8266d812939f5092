import { SignalboxError } from '../errors.js';

/** The pool was stopped: it takes no more tasks, or this one had not ended when its time was up. */
export class PoolStoppedError extends SignalboxError {
  constructor(problem = 'it takes no more tasks', options?: { cause?: unknown }) {
    super(
      'POOL_STOPPED',
      `The TaskPool was stopped: ${problem}. Make a new one to go on.`,
      options,
    );
  }
}

/** The signal that the task was queued with fired before it ended; `cause` is the signal's reason. */
export class PoolTaskCancelledError extends SignalboxError {
  constructor(options?: { cause?: unknown }) {
    super(
      'POOL_TASK_CANCELLED',
      'The task was cancelled: its signal fired. Queue it again if it is still wanted.',
      options,
    );
  }
}

/** An attempt took longer than the task's `timeoutMs`: what its signal gives as the reason. */
export class PoolTaskTimeoutError extends SignalboxError {
  readonly timeoutMs: number;

  constructor(timeoutMs: number, options?: { cause?: unknown }) {
    super('POOL_TASK_TIMEOUT', `an attempt took longer than ${timeoutMs} ms`, options);
    this.timeoutMs = timeoutMs;
  }
}

/**
 * The task failed for good.
 *
 * `errors`: what its attempts threw, equal ones once, in the order in which they first came; the message lists them.
 * `cause`: the Error that was given as the `error` option, else what the last attempt threw.
 */
export class PoolTaskError extends SignalboxError {
  readonly errors: readonly unknown[];
  readonly numRetries: number;

  constructor(
    message: string,
    details: {
      readonly errors: readonly unknown[];
      readonly numRetries: number;
      readonly cause: unknown;
    },
  ) {
    super('POOL_TASK_FAILED', message, { cause: details.cause });
    this.errors = details.errors;
    this.numRetries = details.numRetries;
  }
}
