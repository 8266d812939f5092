import type { OwnedTask } from '../store/task-store.js';
import type { ReturnedOutcome } from '../worker/actor.js';

/**
 * What a try came to: `retried`: it failed, and another follows; `snoozed`: put off without counting.
 */
export type DrainResult = 'completed' | 'aborted' | 'retried' | 'snoozed';

/** What became of one try. */
export interface DrainOutcome {
  readonly id: string;
  readonly action: string;
  /** Which try it was. */
  readonly numTries: number;
  readonly result: DrainResult;
  readonly status: string | null;
  /** What the handler threw; left out if it returned. */
  readonly error?: unknown;
}

/** What a drain did, try by try. Tasks that nobody performs (milestones, skipped and cancelled ones) are not counted. */
export interface DrainReport extends Readonly<Record<DrainResult, number>> {
  /** Owned and not known to be returned: cancelled, deleted or lapsed meanwhile, or the answer was lost. */
  readonly lost: number;
  /** In the order of their returns. */
  readonly outcomes: readonly DrainOutcome[];
}

/** Gathers a report. */
export class DrainTally {
  /** Tries begun, or about to be. */
  numOwned = 0;
  numLost = 0;
  readonly #counts: Record<DrainResult, number> = {
    completed: 0,
    aborted: 0,
    retried: 0,
    snoozed: 0,
  };
  readonly #outcomes: DrainOutcome[] = [];

  readonly returned = (task: OwnedTask, outcome: ReturnedOutcome, error: unknown): void => {
    const { id, action, numTries } = task;
    const result = toResult(outcome);
    const status = outcome.status ?? null;
    this.#counts[result]++;
    this.#outcomes.push({
      id,
      action,
      numTries,
      result,
      status,
      ...(error === undefined ? {} : { error }),
    });
  };

  /** The last tries of tasks that have failed so far. */
  failures(): DrainOutcome[] {
    const last = new Map(this.#outcomes.map((outcome) => [outcome.id, outcome]));
    return [...last.values()].filter(({ result }) => result === 'aborted' || result === 'retried');
  }

  report(): DrainReport {
    return { ...this.#counts, lost: this.numLost, outcomes: [...this.#outcomes] };
  }
}

function toResult({ statusCode, startAfter }: ReturnedOutcome): DrainResult {
  if (statusCode === 'completed' || statusCode === 'aborted') return statusCode;
  return startAfter ? 'snoozed' : 'retried';
}
