import { SignalboxError } from '../errors.js';
import type { DrainOutcome } from './drain-report.js';

const SHOWN = 5;

/** A drain has begun as many tries as it may, and there is more to do: tasks that make tasks, or fail and are retried, without end. */
export class DrainLimitError extends SignalboxError {
  readonly maxTasks: number;

  constructor(maxTasks: number, nextId: string) {
    super(
      'DRAIN_LIMIT',
      `${maxTasks} tries were begun, and the next would be of task ${JSON.stringify(nextId)}: this may never end. ` +
        'Give tasks that fail a maxTries, or raise maxTasks.',
    );
    this.maxTasks = maxTasks;
  }
}

/** Tasks failed at their last try in a drain with `throwOnFailure`; `cause` is what the first one's handler threw. */
export class DrainFailedError extends SignalboxError {
  readonly failures: readonly DrainOutcome[];

  constructor(failures: readonly DrainOutcome[]) {
    const shown = failures
      .slice(0, SHOWN)
      .map(({ id, status }) => `${JSON.stringify(id)} (${status ?? 'no status'})`);
    const rest = failures.length > SHOWN ? ` and ${failures.length - SHOWN} more` : '';
    super('DRAIN_FAILED', `Tasks failed: ${shown.join(', ')}${rest}.`, {
      cause: failures[0]?.error,
    });
    this.failures = failures;
  }
}
