/**
 * A promise that knows whether anybody has waited for it, and whose rejection ends no process: for those whose failure is
 * looked at in the end if nobody else did. `await` asks for `then` of any promise that is not a plain one.
 */
export class WatchedPromise<T> extends Promise<T> {
  isWatched = false;

  /** What is made of it is plain. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  static of<T>(promise: Promise<T>): WatchedPromise<T> {
    const watched = new WatchedPromise<T>((resolve, reject) => {
      promise.then(resolve, reject);
    });
    // Not by its own `then`: that would count.
    Promise.prototype.then.call(watched, undefined, () => {});
    return watched;
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a promise.
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.isWatched = true;
    return super.then(onFulfilled, onRejected);
  }
}
