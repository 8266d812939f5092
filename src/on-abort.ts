interface Heeded {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

const heededBySignal = new WeakMap<AbortSignal, Heeded>();

/**
 * Calls back when the signal aborts, until the function that it returns is called.
 *
 * A signal has one listener, whatever the number of callbacks, and none when there are none: Node warns of a leak at the
 * eleventh, and the signal of a shutdown outlives thousands of waits. A signal that has fired already is not noticed: look
 * before.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const { callbacks, listener } = heededBySignal.get(signal) ?? heed(signal);
  callbacks.add(callback);
  return () => {
    if (!callbacks.delete(callback) || callbacks.size > 0) return;
    signal.removeEventListener('abort', listener);
    heededBySignal.delete(signal);
  };
}

function heed(signal: AbortSignal): Heeded {
  const callbacks = new Set<() => void>();
  const listener = (): void => {
    for (const callback of [...callbacks]) callback();
  };
  const heeded = { callbacks, listener };
  heededBySignal.set(signal, heeded);
  signal.addEventListener('abort', listener);
  return heeded;
}
