interface Watched<T> {
  readonly items: Set<T>;
  readonly listener: () => void;
}

/**
 * Who is to be told when which signal fires.
 *
 * A signal has one listener, however many tasks it cancels, and none when there are none: Node warns of a leak at the
 * eleventh, and the signal of a shutdown outlives thousands of tasks.
 */
export class SignalWatch<T> {
  readonly #watched = new Map<AbortSignal, Watched<T>>();
  readonly #onFired: (item: T, reason: unknown) => void;

  constructor(onFired: (item: T, reason: unknown) => void) {
    this.#onFired = onFired;
  }

  /** A signal that has fired already is not noticed: look before. */
  add(signal: AbortSignal, item: T): void {
    const watched = this.#watched.get(signal) ?? this.#listen(signal);
    watched.items.add(item);
  }

  remove(signal: AbortSignal, item: T): void {
    const watched = this.#watched.get(signal);
    if (!watched) return;
    watched.items.delete(item);
    if (watched.items.size > 0) return;
    signal.removeEventListener('abort', watched.listener);
    this.#watched.delete(signal);
  }

  #listen(signal: AbortSignal): Watched<T> {
    const items = new Set<T>();
    const listener = (): void => {
      for (const item of [...items]) this.#onFired(item, signal.reason);
    };
    const watched = { items, listener };
    this.#watched.set(signal, watched);
    signal.addEventListener('abort', listener);
    return watched;
  }
}
