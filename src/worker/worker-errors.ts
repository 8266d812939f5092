import { InvalidTokenError, PermanentError, SignalboxError } from '../errors.js';

/** The actor, or another of the same manager, performs this action already. */
export class ActionKnownError extends SignalboxError {
  readonly action: string;

  constructor(action: string, options?: { cause?: unknown }) {
    super(
      'ACTION_KNOWN',
      `Action ${JSON.stringify(action)} is known already. Forget it first, or learn it with { override: true }; ` +
        'of the actors of one manager, one performs an action.',
      options,
    );
    this.action = action;
  }
}

/** The actor does not perform this action. */
export class UnknownActionError extends SignalboxError {
  readonly action: string;

  constructor(action: string, options?: { cause?: unknown }) {
    super(
      'UNKNOWN_ACTION',
      `Action ${JSON.stringify(action)} is not known here. Have the actor learn it, or run the worker that performs it.`,
      options,
    );
    this.action = action;
  }
}

/** A handler took longer than its action's `timeoutMs`: what its signal gives as the reason. */
export class HandlerTimeoutError extends SignalboxError {
  readonly timeoutMs: number;

  constructor(action: string, timeoutMs: number) {
    super(
      'HANDLER_TIMEOUT',
      `A handler of ${JSON.stringify(action)} took longer than ${timeoutMs} ms`,
    );
    this.timeoutMs = timeoutMs;
  }
}

/**
 * A manager holds a task no longer: what the signal of its handler gives as the reason.
 *
 * - `gone`: the database says so. The task was cancelled, deleted or returned by others, or its lease lapsed.
 * - `unreachable`: the database could not be reached until the deadline, so that another may have the task by now.
 */
export class LeaseLostError extends InvalidTokenError {
  readonly how: 'gone' | 'unreachable';

  constructor(id: string, how: 'gone' | 'unreachable', options?: { cause?: unknown }) {
    super(id, options);
    this.how = how;
    const what =
      how === 'gone'
        ? 'is not held any more: it was cancelled, deleted, or its lease lapsed'
        : 'could not be kept: the database was out of reach until its deadline, and another may have it now';
    this.message = `Task ${JSON.stringify(id)} ${what}. Drop the work; what the handler returns is not recorded.`;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new LeaseLostError(rename(this.id), this.how, { cause: this.cause });
  }
}

/** A task was to begin by a time that had passed when its turn came: it is aborted, not performed. */
export class DeadlinePassedError extends PermanentError {
  readonly by: Date;

  constructor(id: string, by: Date) {
    super(`Task ${JSON.stringify(id)} was to begin by ${by.toISOString()}; it was not performed`);
    this.by = by;
  }
}

/** A job by hand was settled a second time. */
export class JobSettledError extends SignalboxError {
  readonly id: string;

  constructor(id: string) {
    super(
      'JOB_SETTLED',
      `The job of task ${JSON.stringify(id)} is settled already; complete, fail or snooze it once.`,
    );
    this.id = id;
  }
}
