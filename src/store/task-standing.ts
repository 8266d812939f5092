import type { Rate, StatusCode } from './task.js';

/** One thing that a task waits for. */
export type WaitReason =
  /** Ended: nothing. */
  | { readonly kind: 'ended'; readonly statusCode: StatusCode; readonly status: string | null }
  /**
   * Signals are missing: `from` names unfinished tasks that will give one, `roots` says how those furthest up stand that
   * hold it all back: they wait for no other task. At most 20 of each. No roots: the tasks wait for each other in a circle.
   */
  | {
      readonly kind: 'signals';
      readonly missing: number;
      readonly from: readonly string[];
      readonly roots: readonly TaskStanding[];
    }
  /** Signals are missing that no unfinished task will give: they must come from outside. */
  | { readonly kind: 'outside-signals'; readonly missing: number }
  /** Not to start before. */
  | { readonly kind: 'start-time'; readonly at: Date; readonly isRetry: boolean }
  /** Owned. `begun` false: by a manager that has not come to it yet. */
  | {
      readonly kind: 'owned';
      readonly actorId: string | null;
      readonly deadline: Date | null;
      readonly isBegun: boolean;
    }
  | {
      readonly kind: 'paused';
      readonly queue: string | null;
      readonly action: string | null;
      readonly since: Date;
    }
  /** All that its limitKey allows are being performed. */
  | {
      readonly kind: 'limit';
      readonly key: string;
      readonly limit: number;
      readonly inProgress: number;
    }
  /** Its limitKey's rate is used up until then. */
  | { readonly kind: 'rate'; readonly key: string; readonly rate: Rate; readonly until: Date }
  /** No live worker performs its action in its queue. */
  | { readonly kind: 'no-worker'; readonly queue: string; readonly action: string }
  /** Ready: so many are before it in its lane. */
  | { readonly kind: 'ready'; readonly numBefore: number }
  /** The engine moves it on the next time that anybody asks for tasks: completes it, skips it, or puts it into its lane. */
  | { readonly kind: 'engine' };

/** How a task stands, and why it does not go on. */
export interface TaskStanding {
  readonly id: string;
  readonly statusCode: StatusCode;
  /** What blocks first comes first. */
  readonly reasons: readonly WaitReason[];
}
