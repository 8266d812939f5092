import type { OwnedTask, StatusCode, TaskReturn } from '../store/task-store.js';

/** What became of one try. */
export interface DrainOutcome {
  readonly id: string;
  readonly action: string;
  /** Which try it was. */
  readonly numTries: number;
  /** `pending`: another will follow. */
  readonly statusCode: StatusCode;
  readonly status: string | null;
  /** What the handler threw; left out if it returned. */
  readonly error?: unknown;
}

/** What a drain did, try by try. Tasks that nobody performs (milestones, skipped and cancelled ones) are not counted. */
export interface DrainReport {
  readonly completed: number;
  readonly aborted: number;
  /** Tries that failed, or were handed back, with another to follow. */
  readonly retried: number;
  /** Put off by SnoozeError. */
  readonly snoozed: number;
  /** Owned and not returned: cancelled, deleted or lapsed meanwhile. */
  readonly lost: number;
  /** In the order of their returns. */
  readonly outcomes: readonly DrainOutcome[];
}

/** Gathers a report. */
export class DrainTally {
  numOwned = 0;
  readonly #counts = { completed: 0, aborted: 0, retried: 0, snoozed: 0 };
  readonly #outcomes: DrainOutcome[] = [];
  readonly #thrown = new Map<string, unknown>();

  /** The handler of the try under this token threw. */
  threw(token: string, error: unknown): void {
    this.#thrown.set(token, error);
  }

  returned(task: OwnedTask, given: TaskReturn, statusCode: StatusCode): void {
    this.#counts[this.#kindOf(given, statusCode)]++;
    this.#outcomes.push({
      id: task.id,
      action: task.action,
      numTries: task.numTries,
      statusCode,
      status: given.status ?? null,
      ...(this.#thrown.has(task.token) ? { error: this.#thrown.get(task.token) } : {}),
    });
    this.#thrown.delete(task.token);
  }

  report(): DrainReport {
    const outcomes = [...this.#outcomes];
    return { ...this.#counts, lost: this.numOwned - outcomes.length, outcomes };
  }

  #kindOf({ startAfter }: TaskReturn, statusCode: StatusCode) {
    if (statusCode === 'completed' || statusCode === 'aborted') return statusCode;
    return startAfter ? 'snoozed' : 'retried';
  }
}
