import { SignalboxError } from '../errors.js';

/** No schedule has this name. */
export class ScheduleNotFoundError extends SignalboxError {
  readonly schedule: string;

  constructor(schedule: string, options?: { cause?: unknown }) {
    super(
      'SCHEDULE_NOT_FOUND',
      `No schedule is named ${JSON.stringify(schedule)}. Put it first, or check the prefix.`,
      options,
    );
    this.schedule = schedule;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new ScheduleNotFoundError(rename(this.schedule), { cause: this.cause });
  }
}

/** A field of a schedule is missing, of the wrong type, out of range, or means that it would never fire. */
export class InvalidScheduleError extends SignalboxError {
  readonly schedule: string;
  readonly field: string;
  readonly #problem: string;

  constructor(schedule: string, field: string, problem: string, options?: { cause?: unknown }) {
    const message = `Schedule ${JSON.stringify(schedule)}: ${field} ${problem}.`;
    super('INVALID_SCHEDULE', message, options);
    this.schedule = schedule;
    this.field = field;
    this.#problem = problem;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new InvalidScheduleError(rename(this.schedule), this.field, this.#problem, {
      cause: this.cause,
    });
  }
}

/** A schedule that must not overlap was to run although the task it inserted last, or the run that started, has not ended. */
export class ScheduleBusyError extends SignalboxError {
  readonly schedule: string;
  readonly taskId: string;

  constructor(schedule: string, taskId: string, options?: { cause?: unknown }) {
    super(
      'SCHEDULE_BUSY',
      `Schedule ${JSON.stringify(schedule)} does not overlap, and its task ${JSON.stringify(taskId)}, or the run that it started, has not ended. ` +
        'Wait for that, cancel it, or put the schedule with mayOverlap.',
      options,
    );
    this.schedule = schedule;
    this.taskId = taskId;
  }

  override renamed(rename: (name: string) => string): SignalboxError {
    return new ScheduleBusyError(rename(this.schedule), rename(this.taskId), { cause: this.cause });
  }
}
