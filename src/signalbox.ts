import type pg from 'pg';
import { type ConnectOptions, closePool, openPool, toListenConfig } from './connection.js';
import type { Graph } from './graph/definition.js';
import type { GraphDefinition } from './graph/node-definition.js';
import type { Logger } from './logger.js';
import { Namespace } from './namespace.js';
import { type GraphWorkerOptions, graphWorker } from './run/graph-worker.js';
import type { Run } from './run/run.js';
import { openRun, type StartArguments, startRun } from './run/start-run.js';
import { scheduleLogic } from './schedule/schedule-logic.js';
import { Scheduler, type SchedulerOptions } from './schedule/scheduler.js';
import { Database } from './store/database.js';
import { type MigrateReport, migrate } from './store/install.js';
import { PgTaskStore } from './store/pg-task-store.js';
import type { ScheduleStore } from './store/schedule-store.js';
import { PgScheduleStore } from './store/schedules.js';
import type {
  ReadyRequest,
  TaskOutcome,
  TaskStore,
  Waiter,
  WaitOptions,
} from './store/task-store.js';
import { WaiterHub } from './wait/waiter-hub.js';
import type { ActionManager } from './worker/action-manager.js';

const DEFAULT_SCHEMA = 'signalbox';

/**
 * A connection to one schema: the whole task store, with waiting over one LISTEN connection.
 *
 * Lazy: nothing is connected until it is used. `close()` ends its connections, and the pool too unless the
 * caller gave it. Made by `connect`.
 */
export class Signalbox extends PgTaskStore implements TaskStore {
  readonly schedules: ScheduleStore;
  readonly #hub: WaiterHub;
  readonly #ownsPool: boolean;
  readonly #logger: Logger | undefined;
  /** The waits for ready tasks that have not settled. */
  readonly #sleeping = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(pool: pg.Pool, options: ConnectOptions = {}) {
    const schema = options.schema ?? DEFAULT_SCHEMA;
    super(
      new Database({ pool, schema, preparedStatements: options.preparedStatements ?? true }),
      options,
    );
    this.schedules = new PgScheduleStore({
      database: this.database,
      query: this.query,
      insert: (tasks, tx) => this.insertTasks(tasks, { tx }),
      logic: scheduleLogic,
    });
    this.#logger = options.logger;
    this.#ownsPool = options.pool === undefined;
    this.#hub = new WaiterHub({
      listenConfig: toListenConfig(options, pool),
      watch: (ids, channel) => this.watchTasks(ids, channel),
      ...(options.logger ? { logger: options.logger } : {}),
    });
  }

  /** Creates or upgrades the schema. Safe from many processes at once; changes nothing when up to date. */
  async migrate(): Promise<MigrateReport> {
    const report = await migrate(this.database);
    this.forgetVersion();
    return report;
  }

  newWaiter(id: string): Promise<Waiter> {
    return this.#hub.newWaiter(id);
  }

  waitFor(id: string, options?: WaitOptions): Promise<TaskOutcome>;
  waitFor(ids: readonly string[], options?: WaitOptions): Promise<TaskOutcome[]>;
  async waitFor(
    ids: string | readonly string[],
    options: WaitOptions = {},
  ): Promise<TaskOutcome | TaskOutcome[]> {
    const isOne = typeof ids === 'string';
    const outcomes = await this.#hub.waitFor(isOne ? [ids] : [...ids], options);
    const [first] = outcomes;
    return isOne && first ? first : outcomes;
  }

  waitForReady(
    request: ReadyRequest,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<boolean> {
    const wait = this.#waitForReady(request, options);
    this.#sleeping.add(wait);
    return wait.finally(() => this.#sleeping.delete(wait));
  }

  async #waitForReady(
    request: ReadyRequest,
    { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<boolean> {
    await this.#hub.start();
    const early = new AbortController();
    const stop = signal ? AbortSignal.any([signal, early.signal]) : early.signal;
    // Listens before it says that it sleeps: the wake-up cannot come between.
    let isOver = false;
    const ready = this.#hub.nextReady({ timeoutMs, signal: stop }).finally(() => {
      isOver = true;
    });
    let timer: NodeJS.Timeout | undefined;
    try {
      const knownMs = await this.sleepOnLanes(request, this.#hub.channel, timeoutMs);
      // Woken while it said so: by another of this process that took the word back before this one was given.
      const isOverBefore = isOver;
      if (knownMs < timeoutMs) timer = setTimeout(() => early.abort(), Math.max(0, knownMs));
      const wakeUp = await ready;
      // Woken, its word is gone; its time up, it no longer counts. Else it might be woken in another's place.
      const isCutShort = stop.aborted || this.#closed !== undefined;
      if (isOverBefore || (wakeUp === 'timeout' && isCutShort)) await this.#leave(request);
      return wakeUp === 'ready' || (knownMs <= timeoutMs && !signal?.aborted);
    } finally {
      clearTimeout(timer);
      early.abort();
    }
  }

  /** Others of this process may have slept by the same word: they look, and say so anew. */
  async #leave(request: ReadyRequest): Promise<void> {
    await this.leaveLanes(request, this.#hub.channel);
    this.#hub.wakeSleepers();
  }

  /** Fires all schedules, those of prefixes too, once started. It logs to this box's logger unless given another. */
  scheduler(options: SchedulerOptions = {}): Scheduler {
    return new Scheduler(this, { ...(this.#logger ? { logger: this.#logger } : {}), ...options });
  }

  withPrefix(prefix: string): Namespace {
    return new Namespace(this, prefix);
  }

  /** Starts a run of a graph: see startRun. */
  start<I, O>(graph: Graph<I, O>, ...rest: StartArguments<I>): Promise<Run<O>> {
    return startRun(this, graph, ...rest);
  }

  /** The handle of a run that was started, by `<runId>`, `<graph>/<runId>` or the id that `spawn` gave. */
  run<O>(graph: Graph<never, O>, id: string): Run<O> {
    return openRun(this, graph, id);
  }

  /** A manager that performs graphs; not started. */
  worker(graphs: readonly GraphDefinition[], options?: GraphWorkerOptions): ActionManager {
    return graphWorker(this, graphs, options);
  }

  /**
   * Ends every wait with WaitCancelledError, lets statements and transactions that have begun finish, and closes the
   * connections. What would begin another rejects with ClosedError. Safe to call twice.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#hub.stop();
    // Woken by that, they still say their last word to the database.
    await Promise.allSettled(this.#sleeping);
    this.database.close();
    if (this.#ownsPool) await closePool(this.database.pool);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Opens a Signalbox. Without options it uses DATABASE_URL, or else the PG* variables, and says what is
 * missing: ConnectionSettingsError. Connects lazily: a server that is not there shows at the first call.
 */
export async function connect(options: ConnectOptions = {}): Promise<Signalbox> {
  return new Signalbox(options.pool ?? openPool(options), options);
}
