import { vi } from 'vitest';
import type {
  OwnedTask,
  OwnRequest,
  TaskFilter,
  TaskInput,
  TaskReturnOutcome,
  TaskStore,
} from '../../src/index.js';

/** 0 to `count` - 1. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** A task that an actor performs. */
export function task(id: string, more: Partial<TaskInput> = {}): TaskInput {
  return { id, action: 'work', ...more };
}

/** A task that the engine completes. */
export function milestone(id: string, more: Partial<TaskInput> = {}): TaskInput {
  return { id, action: null, ...more };
}

/** `count` diamonds: one task, `width` that follow it, one that follows those. */
export function diamonds(count: number, width: number): TaskInput[] {
  return range(count).flatMap((i) => {
    const middle = range(width).map((n) => `d${i}/middle${n}`);
    const last = `d${i}/last`;
    return [
      task(`d${i}/first`, { toSignalAfter: middle }),
      ...middle.map((id) => task(id, { toSignalAfter: [last] })),
      task(last),
    ];
  });
}

/** The ids in their order. */
export function sortedIds(tasks: Iterable<{ readonly id: string }>): string[] {
  return Array.from(tasks, ({ id }) => id).sort();
}

/** Owns for actor `me`, action `work`, as many as there are, unless told otherwise. */
export function own(store: TaskStore, request: Partial<OwnRequest> = {}): Promise<OwnedTask[]> {
  return store.ownTasks({ actorId: 'me', actions: ['work'], maxTasks: 1000, ...request });
}

/** Owns the one task that can be owned. */
export async function ownOne(
  store: TaskStore,
  request: Partial<OwnRequest> = {},
): Promise<OwnedTask> {
  const [first, ...others] = await own(store, request);
  if (!first || others.length > 0) {
    throw new Error(`${first ? others.length + 1 : 0} tasks could be owned, not one`);
  }
  return first;
}

/** Returns all; throws the first error. */
export async function giveBack(
  store: TaskStore,
  owned: readonly OwnedTask[],
  outcome: TaskReturnOutcome = { statusCode: 'completed' },
): Promise<void> {
  const reports = await store.returnTasks(
    owned.map(({ id, token }) => ({ id, token, ...outcome })),
  );
  for (const report of reports) if (!report.ok) throw report.error;
}

/** Owns and returns until nothing is ready; the ids in the order in which they were owned. */
export async function drain(
  store: TaskStore,
  request: Partial<OwnRequest> = {},
  outcome: TaskReturnOutcome = { statusCode: 'completed' },
): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const owned = await own(store, request);
    if (owned.length === 0) return ids;
    ids.push(...owned.map(({ id }) => id));
    await giveBack(store, owned, outcome);
  }
}

/** The ids of all tasks that pass a filter, in the order in which they are listed. */
export async function listedIds(store: TaskStore, filter?: TaskFilter): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of store.listTasks(filter)) ids.push(id);
  return ids;
}

/** What a store says of every task in it, by id. */
export async function statuses(store: TaskStore): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { id, statusCode } of store.listTasks()) found[id] = statusCode;
  return found;
}

/** The error that a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it was not rejected');
}

/** Polls until `check` no longer throws; for what another session or process does. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 20 });
}
