/** What was read ahead is there at once: a promise for each would be half of what a short node costs. */
export type MaybePromise<T> = T | Promise<T>;

/** Calls `use` with both: now, if both are there. */
export function withBoth<A, B, R>(
  first: MaybePromise<A>,
  second: MaybePromise<B>,
  use: (first: A, second: B) => MaybePromise<R>,
): MaybePromise<R> {
  if (first instanceof Promise || second instanceof Promise) {
    return Promise.all([first, second]).then(([a, b]) => use(a, b));
  }
  return use(first, second);
}
