import type { ListenEvents, Listener } from '../../../src/wait/listener.js';

/** A listener whose connection comes and goes when the test says so. */
export class FakeListener implements Listener {
  numStarts = 0;
  numStops = 0;
  #events: ListenEvents | null = null;
  #onAttempted: () => void = () => {};

  start(events: ListenEvents): Promise<void> {
    this.numStarts += 1;
    this.#events = events;
    return new Promise((resolve) => {
      this.#onAttempted = resolve;
    });
  }

  async stop(): Promise<void> {
    this.numStops += 1;
    this.#onAttempted();
  }

  connect(): void {
    this.#events?.onConnected();
    this.#onAttempted();
  }

  lose(): void {
    this.#events?.onLost();
    this.#onAttempted();
  }

  notify(payload: string | readonly string[]): void {
    this.#events?.onNotify(typeof payload === 'string' ? payload : JSON.stringify(payload));
  }
}
