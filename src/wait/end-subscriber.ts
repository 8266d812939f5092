import type { WatchReport } from '../store/task-store.js';

/** Somebody who awaits the ends of tasks: what a waiter and a `waitFor` have in common. */
export interface EndSubscriber {
  /** An answer to a question put after the subscription. After `ended` or `missing` no more come for that id. */
  onReport(report: WatchReport): void;

  /** Asking failed for a reason that will not pass. Those that have had an answer before go on waiting. */
  onFailure(error: unknown): void;

  /** Ends the wait with WaitCancelledError; `cause` says why. */
  cancel(cause?: unknown): void;
}

/** Ends one subscription; does nothing if there is none. */
export type Unsubscribe = (id: string, subscriber: EndSubscriber) => void;
