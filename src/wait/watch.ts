import type { WatchReport } from '../store/task-store.js';

/**
 * Has the ends of these tasks notified on `channel` from now on, and reports on each.
 *
 * A task that is not reported on counts as missing. Calling it again for the same tasks does no harm.
 */
export type Watch = (ids: string[], channel: string) => Promise<readonly WatchReport[]>;
