import { InvalidBodyError, PermanentError, ResultTooLargeError, SnoozeError } from '../errors.js';
import { backoffMs } from '../pool/backoff.js';
import type { OwnedTask, RetryPolicy, TaskReturnOutcome } from '../store/task-store.js';
import type { ActionSettings, ActorResult } from './actor.js';
import { toErrorText, toMessage } from './error-text.js';
import { UnknownActionError } from './worker-errors.js';

/** Of tasks, and actions, that have no policy of their own: else what fails at once would be tried again at once. */
export const DEFAULT_RETRY: Readonly<RetryPolicy> = Object.freeze({
  delayMs: 100,
  factor: 2,
  maxDelayMs: 3_600_000,
  jitter: 0.2,
});

/** Of tasks, and actions, that have no limit of their own. With DEFAULT_RETRY the last try comes about ten hours after the first. */
export const DEFAULT_MAX_TRIES = 25;

/** A task whose action nobody here knows stays away so long: whoever knows it may be about to start. */
const UNKNOWN_ACTION_PAUSE_MS = 30_000;

interface OutcomeRulesOptions {
  readonly retry: RetryPolicy;
  readonly maxTries: number;
  /** From 0 up to 1, for the jitter of delays. */
  readonly random: () => number;
}

/**
 * What a try is returned as. A limit of tries or a retry policy that the task has itself is the database's to apply, and
 * goes before the action's; the action's goes before the manager's.
 */
export class OutcomeRules {
  readonly #options: OutcomeRulesOptions;

  constructor(options: OutcomeRulesOptions) {
    this.#options = options;
  }

  /** Of what an actor says. One that asks for another try itself says when; only the number of tries is limited. */
  ofResult(task: OwnedTask, result: ActorResult, settings?: ActionSettings): TaskReturnOutcome {
    if (typeof result !== 'object' || result === null) {
      const problem = `an actor's handle() gave ${String(result)}; it must give { statusCode, ... }`;
      return this.ofThrown(task, new TypeError(problem), settings);
    }
    if (result.statusCode === 'pending' && !result.startAfter) {
      return this.#isLastTry(task, settings) ? gaveUp(task, result.status) : result;
    }
    return settings?.autoDelete ? { ...result, autoDelete: true } : result;
  }

  /** Of what a handler threw, or of its time-out. */
  ofThrown(task: OwnedTask, thrown: unknown, settings?: ActionSettings): TaskReturnOutcome {
    const status = toMessage(thrown);
    if (thrown instanceof SnoozeError) {
      return { statusCode: 'pending', status, startAfter: thrown.startAfter };
    }
    if (thrown instanceof UnknownActionError) return ofUnknownAction(thrown);
    const error = toErrorText(thrown);
    if (isPermanent(thrown)) return { statusCode: 'aborted', status, error };
    if (this.#isLastTry(task, settings)) return { ...gaveUp(task, status), error };
    const policy = settings?.retry ?? this.#options.retry;
    const retryDelayMs = Math.round(backoffMs(policy, task.numTries, this.#options.random));
    return { statusCode: 'pending', status, error, retryDelayMs };
  }

  /**
   * Of a task that is not to be performed: tried as often as allowed, and its last try was never returned. Whoever fails
   * returns; this one may be killing its workers, one after another. Null: perform it.
   */
  ofPoison(task: OwnedTask, settings?: ActionSettings): TaskReturnOutcome | null {
    if (task.maxTries !== null || task.numTries <= this.#maxTries(settings)) return null;
    const numBefore = task.numTries - 1;
    return {
      statusCode: 'aborted',
      status: `not performed: tried ${numBefore} times already, and the last try was never returned; it may kill its workers`,
    };
  }

  /** Where the task has a limit of its own, the database keeps to it. */
  #isLastTry(task: OwnedTask, settings?: ActionSettings): boolean {
    return task.maxTries === null && task.numTries >= this.#maxTries(settings);
  }

  #maxTries(settings?: ActionSettings): number {
    return settings?.maxTries ?? this.#options.maxTries;
  }
}

/** Of a task whose action is not known: later, perhaps elsewhere, and no try used up. */
export function ofUnknownAction(error: UnknownActionError): TaskReturnOutcome {
  const startAfter = new Date(Date.now() + UNKNOWN_ACTION_PAUSE_MS);
  return { statusCode: 'pending', status: error.message, startAfter };
}

/** Of a task that was not performed, or not to the end, through no fault of its own: at once, and no try used up. */
export function ofHandingBack(why: string): TaskReturnOutcome {
  return { statusCode: 'pending', status: `handed back: ${why}`, startAfter: new Date(0) };
}

function gaveUp(task: OwnedTask, status = 'it asked for another'): TaskReturnOutcome {
  const tries = task.numTries === 1 ? '1 try' : `${task.numTries} tries`;
  return { statusCode: 'aborted', status: `gave up after ${tries}: ${status}` };
}

/** A body that does not fit its schema will not fit it at the next try; nor will a result that cannot be stored be another. */
function isPermanent(thrown: unknown): boolean {
  return (
    thrown instanceof PermanentError ||
    thrown instanceof InvalidBodyError ||
    thrown instanceof ResultTooLargeError
  );
}
