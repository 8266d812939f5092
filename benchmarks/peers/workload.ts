import type { TaskInput } from 'signalbox';
import packageJson from './package.json' with { type: 'json' };

type Peer = keyof typeof packageJson.dependencies;

/** A peer's name with the version that is installed. */
export function labelOf(peer: Peer, addition = ''): string {
  return `${peer} ${packageJson.dependencies[peer]}${addition}`;
}

/** Batches of `size`, the last one shorter. */
export function* inBatches<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

/** Batches of at least `size` tasks of which no edge leads out, for peers that take a graph in one call only. */
export function* inWholeGraphs(tasks: Iterable<TaskInput>, size: number): Generator<TaskInput[]> {
  let batch: TaskInput[] = [];
  const seen = new Set<string>();
  const awaited = new Set<string>();
  for (const task of tasks) {
    batch.push(task);
    seen.add(task.id);
    awaited.delete(task.id);
    for (const target of task.toSignalAfter ?? []) if (!seen.has(target)) awaited.add(target);
    if (batch.length >= size && awaited.size === 0) {
      yield batch;
      batch = [];
      seen.clear();
    }
  }
  if (batch.length > 0) yield batch;
}

/** Whether any task of a batch has an edge. */
export function hasEdges(tasks: readonly TaskInput[]): boolean {
  return tasks.some(({ toSignalAfter = [] }) => toSignalAfter.length > 0);
}

/** Calls `work` with every item, `width` calls at a time; the source is read no faster than that. */
export async function inParallel<T>(
  items: Iterator<T>,
  width: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const lane = async () => {
    for (let next = items.next(); !next.done; next = items.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

/** Counts what is performed; `reached` resolves at `size` and rejects with what `fail` is given. */
export interface Counter {
  add(n: number): void;
  fail(error: Error): void;
  readonly reached: Promise<void>;
}

export function countTo(size: number): Counter {
  const { promise: reached, resolve, reject } = withResolvers();
  // Whoever fails before anybody waits is heard once somebody does.
  reached.catch(() => {});
  let count = 0;
  return {
    add(n) {
      count += n;
      if (count > size) reject(new Error(`${count} jobs performed, and there are only ${size}`));
      else if (count === size) resolve();
    },
    fail: reject,
    reached,
  };
}

interface Resolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function withResolvers(): Resolvers {
  let resolve: () => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((resolvePromise, rejectPromise) => {
    resolve = resolvePromise;
    reject = rejectPromise;
  });
  return { promise, resolve, reject };
}

/** Throws unless a peer's own books show nothing left to do. */
export function expectNoneLeft(peer: string, left: number): void {
  if (left !== 0) throw new Error(`${peer}: ${left} jobs are not recorded as completed`);
}
