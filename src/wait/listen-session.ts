import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type pg from 'pg';
import pgListen from 'pg-listen';
import { deferred } from './deferred.js';

interface ListenSessionOptions {
  readonly config: pg.ClientConfig;
  readonly channel: string;
  readonly onNotify: (payload: string) => void;
}

/** Limits of what pg leaves unlimited: without them a half-open connection hangs for ever. */
const CONNECT_TIMEOUT_MS = 5000;
const QUERY_TIMEOUT_MS = 5000;
const KEEP_ALIVE_DELAY_MS = 10_000;

/**
 * How often pg-listen sends a trivial query, to notice a connection that died without a word. The hub's slow poll
 * covers the meantime, so it may be rare: the only query of an idle process.
 */
const CHECK_INTERVAL_MS = 30_000;

/** How long a closing connection may take for its goodbye. */
const GOODBYE_MS = 1000;

/**
 * One connection that listens, from connecting until it is lost: a pg-listen subscriber that never reconnects.
 *
 * pg-listen's own reconnecting is switched off (`retryLimit: 1` is no attempt; `retryTimeout` then says nothing, and
 * is 0 lest a limit of 3 seconds come back with the attempts), because it cannot be stopped, close() during it
 * leaves a connection behind, a LISTEN that fails after it ends it for good, and after a first connect() that failed
 * it goes on in the background, but without LISTEN. Every loss then surfaces as one `error` event.
 */
export class ListenSession {
  readonly #options: ListenSessionOptions;
  readonly #subscriber: ReturnType<typeof pgListen.default>;
  readonly #over = deferred<never>();
  #socket: Duplex | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: ListenSessionOptions) {
    this.#options = options;
    this.#subscriber = pgListen.default(this.#clientConfig(), {
      retryLimit: 1,
      retryTimeout: 0,
      parse: (payload) => payload,
      paranoidChecking: CHECK_INTERVAL_MS,
    });
    this.#subscriber.events.on('error', (error) => this.#over.reject(error));
    this.#subscriber.events.on('notification', ({ payload }) => {
      options.onNotify(typeof payload === 'string' ? payload : '');
    });
  }

  /** Rejects when the connection is lost, or closed: never resolves. */
  get over(): Promise<never> {
    return this.#over.promise;
  }

  /** Resolves when LISTEN is committed. Rejects if that fails, and if the session is closed meanwhile. */
  open(): Promise<void> {
    return Promise.race([this.#listen(), this.over]);
  }

  /** Says goodbye if the server still listens, and lets go of the socket in any case. Safe twice and at any time. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #listen(): Promise<void> {
    await this.#subscriber.connect();
    await this.#subscriber.listenTo(this.#options.channel);
  }

  async #close(): Promise<void> {
    this.#over.reject(new Error('The listening connection was closed.'));
    const goodbye = deferred<void>();
    const timer = setTimeout(goodbye.resolve, GOODBYE_MS);
    this.#subscriber.close().then(goodbye.resolve, goodbye.resolve);
    await goodbye.promise;
    clearTimeout(timer);
    this.#socket?.destroy();
  }

  #clientConfig(): pg.ClientConfig {
    const { config } = this.#options;
    return {
      application_name: 'signalbox-listen',
      ...config,
      connectionTimeoutMillis: config.connectionTimeoutMillis || CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: config.keepAliveInitialDelayMillis ?? KEEP_ALIVE_DELAY_MS,
      // pg-listen keeps its client to itself; the socket is what can be destroyed whatever state that is in.
      stream: () => {
        this.#socket = config.stream?.() ?? new Socket();
        return this.#socket;
      },
    };
  }
}
