import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from '../logger.js';
import { deferred } from './deferred.js';
import { ListenSession } from './listen-session.js';
import type { ListenEvents, Listener } from './listener.js';

interface PgListenerOptions {
  readonly config: pg.ClientConfig;
  readonly channel: string;
  /** Between the end of one connection, or attempt, and the next attempt. */
  readonly retryIntervalMs: number;
  readonly logger: Logger;
}

/**
 * Listens to a channel through one connection at a time, and through a new one whenever that is lost, for ever.
 *
 * Its pauses do not keep the process alive, its connection does.
 */
export class PgListener implements Listener {
  readonly #options: PgListenerOptions;
  readonly #stopping = new AbortController();
  #session: ListenSession | null = null;
  #running: Promise<void> = Promise.resolve();
  #isDown = false;

  constructor(options: PgListenerOptions) {
    this.#options = options;
  }

  start(events: ListenEvents): Promise<void> {
    const firstAttempt = deferred<void>();
    this.#running = this.#run(events, firstAttempt.resolve);
    return firstAttempt.promise;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#session?.close();
    await this.#running;
  }

  async #run(events: ListenEvents, onAttempted: () => void): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#listenUntilLost(events, onAttempted);
      onAttempted();
      await sleep(this.#options.retryIntervalMs, undefined, { signal, ref: false }).catch(() => {});
    }
    onAttempted();
  }

  async #listenUntilLost(events: ListenEvents, onAttempted: () => void): Promise<void> {
    const { config, channel } = this.#options;
    try {
      const session = new ListenSession({ config, channel, onNotify: events.onNotify });
      this.#session = session;
      await session.open();
      this.#onConnected(events);
      onAttempted();
      await session.over;
    } catch (error) {
      this.#onLost(events, error);
    } finally {
      await this.#session?.close();
    }
  }

  #onConnected(events: ListenEvents): void {
    const { channel, logger } = this.#options;
    if (this.#isDown) logger.info({ channel }, 'LISTEN works again');
    this.#isDown = false;
    events.onConnected();
  }

  #onLost(events: ListenEvents, error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const { channel, logger } = this.#options;
    const level = this.#isDown ? 'debug' : 'warn';
    logger[level]({ err: error, channel }, 'LISTEN failed; polling until it works again');
    this.#isDown = true;
    events.onLost();
  }
}
