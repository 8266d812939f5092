import { InvalidTokenError } from '../errors.js';
import type {
  HeldTask,
  OwnedTask,
  OwnRequest,
  ReadyRequest,
  ReturnReport,
  TaskReturn,
  TaskStore,
} from '../store/task-store.js';
import { ofHandingBack } from '../worker/outcome-rules.js';
import { altered } from './altered.js';
import { DrainLimitError } from './drain-errors.js';
import type { DrainTally } from './drain-report.js';

interface DrainWatchOptions {
  readonly store: TaskStore;
  /** All that is to be drained; actors may learn actions meanwhile. */
  readonly lanes: () => ReadyRequest;
  /** Tasks in hand at a time. */
  readonly workers: number;
  readonly maxTasks: number;
  readonly tally: DrainTally;
}

/** A database that fails as often in a row will not come back: a manager would go on for ever. */
const MAX_FAILURES_IN_A_ROW = 20;

/*
 * Stands between a manager and the store, and sees when there is nothing left to do.
 *
 * A task is in hand from owning until its return is reported, or until an extension shows that it is not held any more.
 * While `workers` are in hand nothing is owned: what a handler inserts, or makes ready by its return, takes its
 * place in the order before anything further is owned.
 *
 * Idle: nothing is in hand or being owned, and the store says that nothing is ready and no timer due. A claim that
 * came back empty is not enough: the engine completes a bounded number of milestones at a time.
 */
export class DrainWatch {
  /** For the manager. */
  readonly store: TaskStore;
  /** Resolves when idle. Rejects with DrainLimitError, or with what the store kept failing with. */
  readonly idle: Promise<void>;
  readonly #options: DrainWatchOptions;
  /** Tokens. */
  readonly #inHand = new Set<string>();
  readonly #refused = new Set<string>();
  #onChange: (() => void)[] = [];
  #owning: Promise<unknown> = Promise.resolve();
  #numOwning = 0;
  #numFailures = 0;
  #isOver = false;
  #settle: (error?: unknown) => void = () => {};

  constructor(options: DrainWatchOptions) {
    this.#options = options;
    this.idle = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.store = altered<TaskStore>(options.store, {
      ownTasks: (request) => this.#ownInTurn(request),
      returnTasks: (returns) => this.#return(returns),
      extendTaskDeadlines: (held, durationMs) =>
        this.#held(held, () => options.store.extendTaskDeadlines(held, durationMs)),
      beginTasks: (held) => this.#held(held, () => options.store.beginTasks(held)),
      waitForReady: (_, { signal }) => this.#sleep(signal),
    });
  }

  #ownInTurn(request: OwnRequest): Promise<OwnedTask[]> {
    const owned = this.#owning.then(() => this.#own(request));
    this.#owning = owned.catch(() => {});
    return owned;
  }

  async #own(request: OwnRequest): Promise<OwnedTask[]> {
    const { store, workers, maxTasks, tally } = this.#options;
    while (this.#inHand.size >= workers && !this.#isOver) await this.#change();
    if (this.#isOver) return [];
    const free = Math.min(request.maxTasks, workers - this.#inHand.size);
    this.#numOwning++;
    try {
      const owned = await this.#attempt(() => store.ownTasks({ ...request, maxTasks: free }));
      const tasks = owned.slice(0, maxTasks - tally.numOwned);
      for (const { token } of tasks) this.#inHand.add(token);
      tally.numOwned += tasks.length;
      if (owned.length > tasks.length) await this.#giveUp(owned.slice(tasks.length));
      return tasks;
    } finally {
      this.#numOwning--;
    }
  }

  /** Ends with tasks that are too much: they go back, and no handler sees them. */
  async #giveUp(tasks: readonly OwnedTask[]): Promise<void> {
    const { store, maxTasks } = this.#options;
    this.#end(new DrainLimitError(maxTasks, tasks[0]?.id ?? ''));
    const outcome = ofHandingBack('the drain ended');
    await store.returnTasks(tasks.map(({ id, token }) => ({ id, token, ...outcome })));
  }

  async #return(returns: readonly TaskReturn[]): Promise<ReturnReport[]> {
    const reports = await this.#attempt(() => this.#options.store.returnTasks(returns));
    for (const [i, report] of reports.entries()) {
      const given = returns[i];
      if (given) this.#reported(given, report);
    }
    this.#changed();
    return reports;
  }

  /** A return that was refused is followed by one in its place, once. */
  #reported({ token }: TaskReturn, report: ReturnReport): void {
    const isFinal = report.ok || report.error instanceof InvalidTokenError;
    if (isFinal || this.#refused.has(token)) this.#inHand.delete(token);
    else this.#refused.add(token);
  }

  async #held(held: readonly HeldTask[], ask: () => Promise<string[]>): Promise<string[]> {
    const ids = await this.#attempt(ask);
    const kept = new Set(ids);
    for (const { id, token } of held) if (!kept.has(id)) this.#inHand.delete(token);
    this.#changed();
    return ids;
  }

  /** What the manager does when it has found nothing. */
  async #sleep(signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#isIdle() && !this.#isOver) {
      const { store, lanes } = this.#options;
      const isReady = await this.#attempt(() => store.waitForReady(lanes(), { timeoutMs: 0 }));
      if (!isReady && this.#isIdle()) this.#end();
      // Ready for another actor, it may be: all look again.
      this.#changed();
      return true;
    }
    await this.#change(signal);
    return true;
  }

  #isIdle(): boolean {
    return this.#inHand.size === 0 && this.#numOwning === 0;
  }

  async #attempt<T>(call: () => Promise<T>): Promise<T> {
    try {
      const result = await call();
      this.#numFailures = 0;
      return result;
    } catch (error) {
      if (++this.#numFailures >= MAX_FAILURES_IN_A_ROW) this.#end(error);
      throw error;
    }
  }

  #end(error?: unknown): void {
    this.#isOver = true;
    this.#settle(error);
    this.#changed();
  }

  /** Resolves at the next change, or when the signal fires. */
  #change(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        signal?.removeEventListener('abort', go);
        resolve();
      };
      this.#onChange.push(go);
      signal?.addEventListener('abort', go);
      if (signal?.aborted) go();
    });
  }

  #changed(): void {
    for (const go of this.#onChange.splice(0)) go();
  }
}
