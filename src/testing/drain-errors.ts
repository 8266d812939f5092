import { SignalboxError } from '../errors.js';
import type { DrainOutcome } from './drain-report.js';

const SHOWN = 5;

/** A drain has begun more tries than it may: tasks that make tasks, or fail and are retried, without end. */
export class DrainLimitError extends SignalboxError {
  readonly maxTasks: number;

  constructor(maxTasks: number, lastId: string) {
    super(
      'DRAIN_LIMIT',
      `More than ${maxTasks} tries were begun, the last of task ${JSON.stringify(lastId)}: this may never end. ` +
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
