/*
 * Waiting for the ends of thousands of tasks over one LISTEN connection.
 *
 * An awaited task is, as the hub sees it, in one of these states:
 *
 *   due      to be asked for: by a new wait, a notification, the poll, a reconnection, or after `busy` or a failure
 *   asked    in the watch call that is in flight (there is one at a time, WatchQueue)
 *   watched  the database has our channel in the task's row: it will notify us of the end
 *   known    ended or missing; its subscribers have been told and it is forgotten
 *
 *   due -> asked -> watched | known | due (busy, failed);  watched -> due.  Nothing else leads to known: a notification
 *   carries no outcome, it only makes tasks due, and the answer to asking is the single source of truth.
 *
 * No end slips between. Watching happens under the row's lock: an end that commits before is reported by the call, one
 * that commits after notifies. A notification is seen if LISTEN was committed before it: the first call waits for the
 * first attempt to listen, and each time LISTEN begins to work everything awaited is due, whatever was answered before.
 *
 * What may go wrong:
 *   - Notified twice, or of a task that nobody awaits: an answer too many, or nothing at all. Harmless in any order.
 *   - A notification while the same task is asked: the call may have looked before the end, so the task is due again.
 *   - A wait begun while its task is asked: it waits for the next call, since the answer in flight may be older than
 *     a re-run (AwaitedTasks counts the calls).
 *   - The connection is lost: PgListener makes a new one every `retryIntervalMs`. Meanwhile everything awaited is due
 *     once a second, so that waiting works, only slower, even where LISTEN never does (behind PgBouncer, say).
 *   - A notification is lost (a connection that died without a word): the slow poll finds the end.
 *   - The whole database is away: calls fail, the queue pauses and repeats; waits go on until their own limits. Only a
 *     failure that will not pass, such as a missing schema, is thrown, and only at waits that have had no answer yet.
 *   - This process crashes: the rows keep a channel to which nobody listens. Notifying it reaches nobody.
 *   - A task ends and is re-run before it is asked: that end is overwritten, and the wait goes on for the next one.
 */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { InvalidOptionError, WaitCancelledError } from '../errors.js';
import { type Logger, noopLogger } from '../logger.js';
import type { TaskOutcome, Waiter } from '../store/task-store.js';
import { LONGEST_TIMER_MS } from '../timers.js';
import { AwaitedTasks } from './awaited-tasks.js';
import type { EndSubscriber, Unsubscribe } from './end-subscriber.js';
import { GroupWait } from './group-wait.js';
import { isLastingFailure } from './lasting-failure.js';
import type { Listener } from './listener.js';
import { parseNotification } from './notification.js';
import { PgListener } from './pg-listener.js';
import { ReadySleepers, type WakeUp } from './ready-sleepers.js';
import type { WaitLimits } from './wait-limits.js';
import { TaskEnd, TaskWaiter } from './waiter.js';
import type { Watch } from './watch.js';
import { WatchQueue } from './watch-queue.js';

export interface WaiterHubOptions {
  /** A connection of its own, not through a transaction-mode pooler; a string is a connection string. */
  readonly listenConfig: pg.ClientConfig | string;
  readonly watch: Watch;
  readonly logger?: Logger | undefined;
  /** How often everything awaited is asked again, in case a notification was lost; at most 1,000 without LISTEN. */
  readonly pollIntervalMs?: number | undefined;
  /** Between attempts to listen again, and to ask again after a failure. */
  readonly retryIntervalMs?: number | undefined;
}

const WAITER_HUB_DEFAULTS = Object.freeze({ pollIntervalMs: 5000, retryIntervalMs: 500 });

const LONGEST_POLL_WITHOUT_LISTEN_MS = 1000;

/** Waits for the ends of tasks, and for ready ones, over one LISTEN connection. See above. */
export class WaiterHub {
  /** Where this hub is notified: one name per hub, 32 ASCII characters, case matters. */
  readonly channel = `signalbox_${randomBytes(16).toString('base64url')}`;
  readonly #listener: Listener;
  readonly #pollIntervalMs: number;
  readonly #awaited = new AwaitedTasks(() => this.#armPoll());
  readonly #unsubscribe: Unsubscribe = (id, who) => this.#awaited.remove(id, who);
  readonly #sleepers = new ReadySleepers();
  readonly #queue: WatchQueue;
  #isListening = false;
  #pollTimer: NodeJS.Timeout | undefined;
  #started: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;

  /** Opens no connection yet. InvalidOptionError for an interval out of range. `listener` is replaced in tests only. */
  constructor(options: WaiterHubOptions, listener?: Listener) {
    const { listenConfig, watch, logger = noopLogger } = options;
    const retryIntervalMs = intervalOf(options, 'retryIntervalMs');
    const config =
      typeof listenConfig === 'string' ? { connectionString: listenConfig } : listenConfig;
    this.#pollIntervalMs = intervalOf(options, 'pollIntervalMs');
    this.#listener =
      listener ?? new PgListener({ config, channel: this.channel, retryIntervalMs, logger });
    this.#queue = new WatchQueue({
      watch: (ids) => watch(ids, this.channel),
      isAwaited: (id) => this.#awaited.has(id),
      onReport: (report, call) => this.#awaited.deliver(report, call),
      onFailure: (ids, error, call) => {
        if (isLastingFailure(error)) this.#awaited.fail(ids, error, call);
      },
      retryIntervalMs,
      logger,
    });
  }

  /**
   * Begins to listen, which the first wait does as well; resolves when the first attempt has succeeded or failed.
   *
   * Never rejects: without LISTEN waiting is slower. Safe twice; does nothing after stop(), which is final.
   */
  start(): Promise<void> {
    if (this.#stopped !== null) return this.#stopped;
    this.#started ??= this.#listen();
    return this.#started;
  }

  /** Rejects all waits with WaitCancelledError, wakes all sleepers, closes the connection. Safe twice and before start(). */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Resolves with a waiter that sees the task's end from this moment on, or the end that has been.
   *
   * TaskNotFoundError if there is no such task. Calls of the same tick share a query.
   */
  async newWaiter(id: string): Promise<Waiter> {
    const end = new TaskEnd(id, this.#unsubscribe);
    this.#subscribe([id], end);
    await end.watched;
    return new TaskWaiter(end);
  }

  /**
   * Resolves when all of the tasks have ended, with their outcomes in the order of `ids`, duplicates included.
   *
   * Rejects with TaskNotFoundError naming all that do not exist, or that are deleted meanwhile; WaitTimeoutError
   * naming those that have not ended after `timeoutMs`; WaitCancelledError with the signal's reason as its cause, or
   * when the hub stops; InvalidOptionError. Lost connections only delay it.
   */
  async waitFor(ids: readonly string[], limits: WaitLimits = {}): Promise<TaskOutcome[]> {
    if (limits.signal?.aborted) throw new WaitCancelledError(ids, { cause: limits.signal.reason });
    if (ids.length === 0) return [];
    const group = new GroupWait([...ids], limits, this.#unsubscribe);
    this.#subscribe(ids, group);
    return group.outcomes;
  }

  /**
   * Resolves with `ready` at the next notification that some task became ready, or when LISTEN begins to work, in case
   * one was missed; with `timeout` after `timeoutMs`, when aborted and when the hub stops.
   *
   * Is asleep when it returns: tell the database afterwards, look once more, then await. Several sleepers all wake.
   */
  nextReady(limits: WaitLimits): Promise<WakeUp> {
    if (this.#stopped !== null) return Promise.resolve('timeout');
    void this.start();
    return this.#sleepers.sleep(limits);
  }

  /** Wakes all who sleep in `nextReady`. */
  wakeSleepers(): void {
    this.#sleepers.wakeAll('ready');
  }

  #subscribe(ids: readonly string[], subscriber: EndSubscriber): void {
    if (this.#stopped !== null) {
      subscriber.cancel(stoppedCause());
      return;
    }
    for (const id of new Set(ids)) this.#awaited.add(id, subscriber, this.#queue.numCalls);
    this.#queue.ask(ids);
    void this.start();
  }

  async #listen(): Promise<void> {
    await this.#listener.start({
      onNotify: (payload) => this.#onNotify(payload),
      onConnected: () => this.#onConnected(),
      onLost: () => this.#onLost(),
    });
    this.#queue.resume();
  }

  async #stop(): Promise<void> {
    this.#queue.stop();
    this.#awaited.cancelAll(stoppedCause());
    this.#sleepers.wakeAll('timeout');
    await this.#listener.stop();
  }

  #onNotify(payload: string): void {
    const notification = parseNotification(payload);
    if (notification.kind === 'ready') this.#sleepers.wakeAll('ready');
    else if (notification.kind === 'ended') this.#queue.ask(notification.ids);
    else this.#askForAll();
  }

  #onConnected(): void {
    this.#isListening = true;
    this.#armPoll();
    this.#askForAll();
    this.#queue.resume();
    this.#sleepers.wakeAll('ready');
  }

  /** Comes at every failed attempt: only the first may arm the poll anew, or it would never be due. */
  #onLost(): void {
    if (!this.#isListening) return;
    this.#isListening = false;
    this.#armPoll();
  }

  #askForAll(): void {
    this.#queue.ask(this.#awaited.ids());
  }

  /** While a task is awaited, and only then, the timer runs: it is also what keeps the process alive for it. */
  #armPoll(): void {
    clearInterval(this.#pollTimer);
    if (this.#awaited.size === 0) return;
    const everyMs = this.#isListening
      ? this.#pollIntervalMs
      : Math.min(this.#pollIntervalMs, LONGEST_POLL_WITHOUT_LISTEN_MS);
    this.#pollTimer = setInterval(() => this.#askForAll(), everyMs);
  }
}

/** Timers fire at once when asked for more than 24.8 days, or for NaN: a poll would never rest. */
function intervalOf(options: WaiterHubOptions, name: keyof typeof WAITER_HUB_DEFAULTS): number {
  const intervalMs = options[name] ?? WAITER_HUB_DEFAULTS[name];
  if (intervalMs >= 1 && intervalMs <= LONGEST_TIMER_MS) return intervalMs;
  throw new InvalidOptionError(name, `must be from 1 to 2,147,483,647 ms, and is ${intervalMs}`);
}

function stoppedCause(): Error {
  return new Error('The hub that waits for tasks was stopped.');
}
