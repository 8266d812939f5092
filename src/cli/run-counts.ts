import type { StatusCounts } from '../run/run-status.js';
import type { RunTree } from '../run/run-tree.js';
import { isFailure } from '../store/status-code.js';
import type { ProgressCounts } from './progress-text.js';
import { hasEnded } from './run-report.js';

/** Of how many items how many have ended, and failed. */
export interface ItemCounts {
  readonly done: number;
  readonly failed: number;
  readonly total: number;
}

export function countItems(items: StatusCounts): ItemCounts {
  const { pending, 'in-progress': running, completed, skipped, aborted, cancelled } = items;
  const failed = aborted + cancelled;
  const done = completed + skipped + failed;
  return { done, failed, total: done + pending + running };
}

/** Of the nodes of a run and the items of its maps; sub-graphs are counted by what is in them. */
export function countNodes({ nodes }: RunTree): ProgressCounts & { readonly total: number } {
  let [done, failed, total] = [0, 0, 0];
  for (const node of nodes) {
    if (node.kind === 'graph') continue;
    const items = node.items ? countItems(node.items) : { done: 0, failed: 0, total: 0 };
    done += items.done + (hasEnded(node) ? 1 : 0);
    failed += items.failed + (isFailure(node) && items.failed === 0 ? 1 : 0);
    total += items.total + 1;
  }
  return { done, failed, total };
}
