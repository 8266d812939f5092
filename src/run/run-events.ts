import type { Progress } from '../graph/context.js';
import type { StatusCode, TaskStore, Waiter } from '../store/task-store.js';
import { taskId } from './names.js';
import type { Plan } from './plan.js';
import { type NodeStatus, readNodes, type StatusCounts } from './run-status.js';

/** What happens to a run. A node that begins and ends between two looks is told of as started, then ended. */
export type RunEvent =
  | { readonly type: 'started'; readonly node: string }
  | {
      readonly type: 'ended';
      readonly node: string;
      readonly statusCode: StatusCode;
      readonly status: string | null;
    }
  | {
      readonly type: 'progress';
      readonly node: string;
      /** Of a map. */
      readonly items?: StatusCounts;
      /** Of a task whose handler says so. */
      readonly progress?: Progress;
      /** Of a node that spawns. */
      readonly spawned?: StatusCounts;
    }
  | { readonly type: 'run-ended'; readonly statusCode: StatusCode; readonly status: string | null };

export interface EventOptions {
  readonly signal?: AbortSignal;
  /** The ends of nodes are told at once; what else happens is looked for so often. Default 1,000. */
  readonly intervalMs?: number;
}

const DEFAULT_INTERVAL_MS = 1_000;
/** However fast nodes end, no more looks than this. */
const MIN_INTERVAL_MS = 50;

const isOver = (statusCode: StatusCode): boolean =>
  statusCode !== 'pending' && statusCode !== 'in-progress';

/**
 * Tells what has happened since the last look: two queries a look, over the range of the run's ids. The ends of nodes
 * are notified by the database, so that nothing is asked while nothing happens but once an interval.
 */
export async function* runEvents(
  store: TaskStore,
  plan: Plan,
  run: string,
  { signal, intervalMs = DEFAULT_INTERVAL_MS }: EventOptions,
): AsyncGenerator<RunEvent, void> {
  const alarm = new Alarm();
  const waiters: Waiter[] = [];
  const onAbort = () => alarm.ring();
  signal?.addEventListener('abort', onAbort);
  try {
    for (const path of ['', ...plan.nodes.keys()]) {
      waiters.push(watch(await store.newWaiter(taskId(run, path)), alarm));
    }
    const known = new Map<string, NodeStatus>();
    while (!signal?.aborted) {
      const [end] = await store.getOutcomes([run], { results: false });
      for (const status of await readNodes(store, plan, run)) {
        yield* changes(known.get(status.node), status);
        known.set(status.node, status);
      }
      if (!end || isOver(end.statusCode)) {
        const { statusCode = 'cancelled', status = 'the run was deleted' } = end ?? {};
        yield { type: 'run-ended', statusCode, status };
        return;
      }
      await alarm.next(MIN_INTERVAL_MS, intervalMs);
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    alarm.ring();
    for (const waiter of waiters) waiter.cancel();
  }
}

function watch(waiter: Waiter, alarm: Alarm): Waiter {
  const ring = () => alarm.ring();
  waiter.wait().then(ring, ring);
  return waiter;
}

/** A rerun makes what had ended pending: nothing is told of it until it starts anew. */
function* changes(before: NodeStatus | undefined, now: NodeStatus): Generator<RunEvent> {
  const { node, statusCode, status } = now;
  const isSame = before?.statusCode === statusCode;
  const hasBegun = statusCode !== 'pending' && statusCode !== 'skipped';
  const wasBegun = before?.statusCode === 'in-progress' || (before && isOver(before.statusCode));
  if (hasBegun && !wasBegun) yield { type: 'started', node };
  const made = progressOf(now);
  if (hasBegun && made && JSON.stringify(made) !== JSON.stringify(before && progressOf(before))) {
    yield { type: 'progress', node, ...made };
  }
  if (!isSame && isOver(statusCode)) yield { type: 'ended', node, statusCode, status };
}

type Made = Pick<NodeStatus, 'items' | 'progress' | 'spawned'>;

/** How far a node is that says so; null: it does not. */
function progressOf({ items, progress, spawned }: NodeStatus): Made | null {
  if (!items && !progress && !spawned) return null;
  return {
    ...(items ? { items } : {}),
    ...(progress ? { progress } : {}),
    ...(spawned ? { spawned } : {}),
  };
}

/** Sleeps until it is rung, or a time has passed; a ring while nobody sleeps is not lost. */
class Alarm {
  #isRung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  async next(atLeastMs: number, atMostMs: number): Promise<void> {
    await pause(atLeastMs);
    if (!this.#isRung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, atMostMs - atLeastMs));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isRung = false;
    this.#wake = undefined;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
