import type { WatchReport } from '../store/task-store.js';
import type { EndSubscriber } from './end-subscriber.js';

/**
 * Who awaits which task.
 *
 * A subscription carries the number of the watch calls begun before it: only the answer of a later call is
 * for it. An older one may tell of an end from before, say of a task that has been re-run since.
 */
export class AwaitedTasks {
  readonly #subscriptions = new Map<string, Map<EndSubscriber, number>>();
  readonly #onAnyChange: () => void;

  /** `onAnyChange` is called when the first task is awaited and when the last no longer is. */
  constructor(onAnyChange: () => void) {
    this.#onAnyChange = onAnyChange;
  }

  get size(): number {
    return this.#subscriptions.size;
  }

  has(id: string): boolean {
    return this.#subscriptions.has(id);
  }

  ids(): IterableIterator<string> {
    return this.#subscriptions.keys();
  }

  add(id: string, subscriber: EndSubscriber, numCallsBefore: number): void {
    const subscriptions = this.#subscriptions.get(id);
    if (subscriptions !== undefined) {
      subscriptions.set(subscriber, numCallsBefore);
      return;
    }
    this.#subscriptions.set(id, new Map([[subscriber, numCallsBefore]]));
    if (this.#subscriptions.size === 1) this.#onAnyChange();
  }

  remove(id: string, subscriber: EndSubscriber): void {
    const subscriptions = this.#subscriptions.get(id);
    if (!subscriptions?.delete(subscriber) || subscriptions.size > 0) return;
    this.#subscriptions.delete(id);
    if (this.#subscriptions.size === 0) this.#onAnyChange();
  }

  /** Hands on what watch call number `call` reported; `ended` and `missing` end the subscription. */
  deliver(report: WatchReport, call: number): void {
    const isLast = report.state === 'ended' || report.state === 'missing';
    for (const subscriber of this.#subscribersBefore(report.id, call)) {
      if (isLast) this.remove(report.id, subscriber);
      subscriber.onReport(report);
    }
  }

  /** Tells the subscribers that watch call number `call` failed, and will again. */
  fail(ids: readonly string[], error: unknown, call: number): void {
    for (const id of ids) {
      for (const subscriber of this.#subscribersBefore(id, call)) subscriber.onFailure(error);
    }
  }

  cancelAll(cause: unknown): void {
    const all = [...this.#subscriptions.values()].flatMap((subscribers) => [...subscribers.keys()]);
    for (const subscriber of new Set(all)) subscriber.cancel(cause);
  }

  #subscribersBefore(id: string, call: number): EndSubscriber[] {
    const subscriptions = [...(this.#subscriptions.get(id) ?? [])];
    return subscriptions.filter(([, numBefore]) => numBefore < call).map(([who]) => who);
  }
}
