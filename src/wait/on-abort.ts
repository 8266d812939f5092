const callbacksBySignal = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when the signal aborts, until the function that it returns is called.
 *
 * A signal has one listener, whatever the number of callbacks: thousands of waits may share the signal of a shutdown,
 * and Node warns of a leak at the eleventh listener. A signal that has fired already is not noticed: look before.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = callbacksBySignal.get(signal) ?? listenTo(signal);
  callbacks.add(callback);
  return () => void callbacks.delete(callback);
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>();
  callbacksBySignal.set(signal, callbacks);
  signal.addEventListener('abort', () => {
    for (const callback of [...callbacks]) callback();
  });
  return callbacks;
}
