/** A timer of Node that is set for longer fires at once: 24.8 days. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Whether a promise is fulfilled within that time; where it is rejected before, so is this. */
export async function settlesWithin(
  promise: Promise<unknown>,
  timeoutMs: number,
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, Math.min(timeoutMs, LONGEST_TIMER_MS), false);
  });
  try {
    return await Promise.race([promise.then(() => true), timedOut]);
  } finally {
    clearTimeout(timer);
  }
}
