import { InvalidOptionError } from '../errors.js';
import { onAbort } from '../on-abort.js';
import { LONGEST_TIMER_MS } from '../timers.js';

/** When a wait ends without what it waited for. */
export interface WaitLimits {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/**
 * Calls one of these when a limit is reached, until the function that it returns is called.
 *
 * A time-out beyond 24.8 days is none. A signal that has fired already is not noticed: look before.
 * InvalidOptionError if `timeoutMs` is negative or no number.
 */
export function armLimits(
  limits: WaitLimits,
  on: { readonly timeout: () => void; readonly abort: () => void },
): () => void {
  const { signal, timeoutMs = Number.POSITIVE_INFINITY } = limits;
  if (!(timeoutMs >= 0)) {
    throw new InvalidOptionError('timeoutMs', `must be 0 or more, and is ${timeoutMs}`);
  }
  const timer = timeoutMs > LONGEST_TIMER_MS ? undefined : setTimeout(on.timeout, timeoutMs);
  const forgetSignal = signal === undefined ? undefined : onAbort(signal, on.abort);
  return () => {
    clearTimeout(timer);
    forgetSignal?.();
  };
}
