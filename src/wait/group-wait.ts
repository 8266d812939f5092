import { TaskNotFoundError, WaitCancelledError, WaitTimeoutError } from '../errors.js';
import type { TaskOutcome, WatchReport } from '../store/task-store.js';
import { deferred } from './deferred.js';
import type { EndSubscriber, Unsubscribe } from './end-subscriber.js';
import { armLimits, type WaitLimits } from './wait-limits.js';

/** One `waitFor`: settles when all of its tasks have ended, and at the first thing that makes this impossible. */
export class GroupWait implements EndSubscriber {
  readonly #ids: readonly string[];
  readonly #unsubscribe: Unsubscribe;
  readonly #disarm: () => void;
  readonly #result = deferred<TaskOutcome[]>();
  readonly #outcomes = new Map<string, TaskOutcome>();
  readonly #missing = new Set<string>();
  readonly #notEnded: Set<string>;
  /** Those of which nothing is known yet, not even whether they exist. */
  readonly #unanswered: Set<string>;

  constructor(ids: readonly string[], limits: WaitLimits, unsubscribe: Unsubscribe) {
    this.#ids = ids;
    this.#notEnded = new Set(ids);
    this.#unanswered = new Set(ids);
    this.#unsubscribe = unsubscribe;
    this.#disarm = armLimits(limits, {
      timeout: () => this.#fail(new WaitTimeoutError([...this.#notEnded], limits.timeoutMs ?? 0)),
      abort: () => this.cancel(limits.signal?.reason),
    });
  }

  /** In the order of the ids given, duplicates included. */
  get outcomes(): Promise<TaskOutcome[]> {
    return this.#result.promise;
  }

  onReport(report: WatchReport): void {
    this.#unanswered.delete(report.id);
    if (report.state === 'missing') this.#missing.add(report.id);
    if (report.state === 'ended') {
      this.#notEnded.delete(report.id);
      this.#outcomes.set(report.id, report.outcome);
    }
    if (this.#notEnded.size === 0) this.#resolve();
    if (this.#missing.size > 0 && this.#unanswered.size === 0) this.#failOnMissing();
  }

  onFailure(error: unknown): void {
    if (this.#unanswered.size > 0) this.#fail(error);
  }

  cancel(cause?: unknown): void {
    this.#fail(new WaitCancelledError([...this.#notEnded], { cause }));
  }

  #resolve(): void {
    this.#disarm();
    const outcomes = this.#ids.map((id) => this.#outcomes.get(id));
    this.#result.resolve(outcomes.filter((outcome) => outcome !== undefined));
  }

  /** A microtask later, when the rest of the same answer is in: the error is to name all that are missing. */
  #failOnMissing(): void {
    queueMicrotask(() => this.#fail(new TaskNotFoundError([...this.#missing])));
  }

  #fail(error: unknown): void {
    this.#disarm();
    for (const id of this.#notEnded) this.#unsubscribe(id, this);
    this.#result.reject(error);
  }
}
