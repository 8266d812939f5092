import { armLimits, type WaitLimits } from './wait-limits.js';

/** Why a sleeper woke: `ready` may be spurious; `timeout` also stands for an abort and for a stop. */
export type WakeUp = 'ready' | 'timeout';

/** Those who sleep until a task becomes ready. */
export class ReadySleepers {
  readonly #sleepers = new Set<(wakeUp: WakeUp) => void>();

  /** Is asleep when it returns: a wake-up that follows is not missed. Rejects only with InvalidOptionError. */
  sleep(limits: WaitLimits): Promise<WakeUp> {
    if (limits.signal?.aborted) return Promise.resolve('timeout');
    return new Promise((resolve) => {
      const wake = (wakeUp: WakeUp): void => {
        disarm();
        this.#sleepers.delete(wake);
        resolve(wakeUp);
      };
      const disarm = armLimits(limits, {
        timeout: () => wake('timeout'),
        abort: () => wake('timeout'),
      });
      this.#sleepers.add(wake);
    });
  }

  wakeAll(wakeUp: WakeUp): void {
    for (const wake of [...this.#sleepers]) wake(wakeUp);
  }
}
