import type { TaskOutcome } from '../store/task-store.js';

/**
 * How the database answers for one awaited task.
 *
 * - `ended`: with this outcome. Nothing more will be sent for it.
 * - `watched`: not ended; its end, or its deletion, will be notified on the channel.
 * - `busy`: its row was locked at that moment, and nothing was done. Ask again shortly.
 * - `missing`: there is no such task.
 */
export type WatchReport =
  | { readonly id: string; readonly state: 'ended'; readonly outcome: TaskOutcome }
  | { readonly id: string; readonly state: 'watched' }
  | { readonly id: string; readonly state: 'busy' }
  | { readonly id: string; readonly state: 'missing' };

/**
 * Has the ends of these tasks notified on `channel` from now on, and reports on each.
 *
 * A task that is not reported on counts as missing. Calling it again for the same tasks does no harm.
 */
export type Watch = (ids: string[], channel: string) => Promise<readonly WatchReport[]>;
