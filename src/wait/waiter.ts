import { TaskNotFoundError, WaitCancelledError } from '../errors.js';
import type { TaskOutcome, Waiter, WatchReport } from '../store/task-store.js';
import { deferred } from './deferred.js';
import type { EndSubscriber, Unsubscribe } from './end-subscriber.js';

/** What a waiter knows of its task: first that it is watched, then how it ended. */
export class TaskEnd implements EndSubscriber {
  readonly id: string;
  readonly #watched = deferred<void>();
  readonly #ended = deferred<TaskOutcome>();
  readonly #unsubscribe: Unsubscribe;
  #isWatched = false;

  constructor(id: string, unsubscribe: Unsubscribe) {
    this.id = id;
    this.#unsubscribe = unsubscribe;
  }

  /** Resolves once no end can be missed any more. TaskNotFoundError, WaitCancelledError, or why asking failed. */
  get watched(): Promise<void> {
    return this.#watched.promise;
  }

  /** Resolves with the outcome. TaskNotFoundError if the task is deleted, WaitCancelledError. */
  get ended(): Promise<TaskOutcome> {
    return this.#ended.promise;
  }

  onReport(report: WatchReport): void {
    if (report.state === 'busy') return;
    if (report.state === 'missing') {
      this.#fail(new TaskNotFoundError([this.id]));
      return;
    }
    this.#isWatched = true;
    this.#watched.resolve();
    if (report.state === 'ended') this.#ended.resolve(report.outcome);
  }

  onFailure(error: unknown): void {
    if (!this.#isWatched) this.#fail(error);
  }

  cancel(cause?: unknown): void {
    this.#fail(new WaitCancelledError([this.id], { cause }));
  }

  #fail(error: unknown): void {
    this.#unsubscribe(this.id, this);
    this.#watched.reject(error);
    this.#ended.reject(error);
  }
}

/**
 * Waits for the end of one task.
 *
 * The hub knows only its TaskEnd, and forgets that when the task has ended or the waiter was cancelled; the outcome is
 * kept here. A waiter dropped without either costs the hub its place until the task ends.
 */
export class TaskWaiter implements Waiter {
  readonly #end: TaskEnd;
  #cancelled: WaitCancelledError | null = null;

  constructor(end: TaskEnd) {
    this.#end = end;
  }

  get id(): string {
    return this.#end.id;
  }

  /**
   * Resolves with the outcome once the task has ended; may be called many times and by many.
   *
   * Rejects with WaitCancelledError once `cancel()` was called or the hub stopped before the end, and with
   * TaskNotFoundError if the task is deleted. A lost connection only delays it.
   */
  wait(): Promise<TaskOutcome> {
    return this.#cancelled === null ? this.#end.ended : Promise.reject(this.#cancelled);
  }

  /** Rejects every wait(), present and future, even if the task has ended meanwhile. Safe twice. */
  cancel(): void {
    this.#cancelled ??= new WaitCancelledError([this.id]);
    this.#end.cancel();
  }
}
