import { setTimeout as pause } from 'node:timers/promises';

/** Long enough for every contestant's worker to have found nothing and gone to sleep. */
const IDLE_MS = 50;
/** A wake-up that was missed is found by polling; no contestant polls more rarely. */
const PATIENCE_MS = 60_000;
const NUM_WARM_UPS = 10;

/** Measures wake-ups of one worker, whose handler must call `woken`. */
export class WakeUps {
  #resolve: (at: number) => void = () => {};

  /** To be called first thing by the handler. */
  readonly woken = (): void => this.#resolve(performance.now());

  /** Milliseconds from the call of `insertOne` to the handler, `count` times, each after a pause; the first ten are not counted. */
  async measure(count: number, insertOne: (number: number) => Promise<unknown>): Promise<number[]> {
    const latencies: number[] = [];
    for (let number = 0; number < NUM_WARM_UPS + count; number++) {
      await pause(IDLE_MS);
      latencies.push(await this.#one(() => insertOne(number)));
    }
    return latencies.slice(NUM_WARM_UPS);
  }

  async #one(insertOne: () => Promise<unknown>): Promise<number> {
    let timer: NodeJS.Timeout | undefined;
    const wokenAt = new Promise<number>((resolve, reject) => {
      this.#resolve = resolve;
      const isLost = new Error(`no handler was called within ${PATIENCE_MS} ms`);
      timer = setTimeout(() => reject(isLost), PATIENCE_MS);
    });
    const startedAt = performance.now();
    const [at] = await Promise.all([wokenAt, insertOne()]);
    clearTimeout(timer);
    return at - startedAt;
  }
}
