import { InvalidOptionError } from '../errors.js';
import { checkHasCondition } from '../store/maintain-tasks.js';
import type { ScheduleStore } from '../store/schedule-store.js';
import type {
  BodySchema,
  CancelOptions,
  CleanOptions,
  DeleteOptions,
  GetOptions,
  HeldTask,
  InsertOptions,
  LaneFilter,
  Limits,
  LiveWorker,
  OutcomeOptions,
  OwnedTask,
  OwnRequest,
  Pause,
  ProgressReport,
  PurgeOptions,
  ReadyRequest,
  RerunOptions,
  ReturnReport,
  RunFilter,
  RunPart,
  RunRow,
  SignalOptions,
  SizeOptions,
  Task,
  TaskBody,
  TaskCount,
  TaskFilter,
  TaskInput,
  TaskOutcome,
  TaskReturn,
  TaskReturnOutcome,
  TaskStanding,
  TaskStore,
  TaskUpdate,
  Waiter,
  WaitOptions,
  WorkerInfo,
} from '../store/task-store.js';
import { PrefixNames } from './prefix-names.js';
import { PrefixedSchedules } from './prefixed-schedules.js';

/**
 * A namespace in another store: `prefix.` goes before every id, action, actor id, channel and unique key on
 * the way in, and comes off everything on the way out, errors too. Queues are shared.
 *
 * The dot keeps `a` and `ab` apart. A nested prefix lies inside its parent: what `a.b` calls `x`, `a` calls `b.x`.
 */
export class PrefixedTaskStore implements TaskStore {
  readonly #store: TaskStore;
  readonly #names: PrefixNames;
  readonly schedules: ScheduleStore;

  constructor(store: TaskStore, prefix: string) {
    if (typeof prefix !== 'string' || prefix === '' || prefix.includes('\u0000')) {
      throw new InvalidOptionError('prefix', `is ${JSON.stringify(prefix)}; give a name`);
    }
    this.#store = store;
    this.#names = new PrefixNames(prefix);
    this.schedules = new PrefixedSchedules(store.schedules, this.#names);
  }

  insertTasks(
    tasks: Iterable<TaskInput> | AsyncIterable<TaskInput>,
    options?: InsertOptions,
  ): Promise<{ inserted: number }> {
    return this.#calling(() =>
      this.#store.insertTasks(mapTasks(tasks, this.#names.addToTask), options),
    );
  }

  insertUnique(
    task: TaskInput & { uniqueKey: string },
    options?: InsertOptions,
  ): Promise<{ inserted: boolean; id: string }> {
    return this.#calling(async () => {
      const prefixed = {
        ...this.#names.addToTask(task),
        uniqueKey: task.uniqueKey && this.#names.add(task.uniqueKey),
      };
      return this.#names.stripId(await this.#store.insertUnique(prefixed, options));
    });
  }

  ownTasks(request: OwnRequest): Promise<OwnedTask[]> {
    return this.#calling(async () => {
      const owned = await this.#store.ownTasks({
        ...request,
        // Without a name stays without: the store below refuses it.
        actorId: request.actorId && this.#names.add(request.actorId),
        actions: request.actions.map(this.#names.add),
      });
      return owned.map((task) => ({
        ...this.#names.stripId(task),
        action: this.#names.strip(task.action),
        slots: task.slots && { ...task.slots, key: this.#names.strip(task.slots.key) },
      }));
    });
  }

  extendTaskDeadline(id: string, token: string, maxDurationMs: number): Promise<void> {
    return this.#calling(() =>
      this.#store.extendTaskDeadline(this.#names.add(id), token, maxDurationMs),
    );
  }

  extendTaskDeadlines(held: readonly HeldTask[], maxDurationMs: number): Promise<string[]> {
    return this.#calling(async () => {
      const prefixed = held.map((one) => ({ ...one, id: this.#names.add(one.id) }));
      const extended = await this.#store.extendTaskDeadlines(prefixed, maxDurationMs);
      return extended.map(this.#names.strip);
    });
  }

  returnTask(id: string, token: string, outcome: TaskReturnOutcome): Promise<void> {
    return this.#calling(() =>
      this.#store.returnTask(this.#names.add(id), token, this.#names.addToOutcome(outcome)),
    );
  }

  returnTasks(returns: readonly TaskReturn[]): Promise<ReturnReport[]> {
    return this.#calling(async () => {
      const prefixed = returns.map((one) => ({
        ...this.#names.addToOutcome(one),
        id: this.#names.add(one.id),
        token: one.token,
      }));
      return (await this.#store.returnTasks(prefixed)).map(this.#names.stripReport);
    });
  }

  beginTasks(held: readonly HeldTask[]): Promise<string[]> {
    return this.#calling(async () => {
      const prefixed = held.map((one) => ({ ...one, id: this.#names.add(one.id) }));
      return (await this.#store.beginTasks(prefixed)).map(this.#names.strip);
    });
  }

  reportProgress(reports: readonly ProgressReport[]): Promise<string[]> {
    return this.#calling(async () => {
      const prefixed = reports.map((one) => ({ ...one, id: this.#names.add(one.id) }));
      return (await this.#store.reportProgress(prefixed)).map(this.#names.strip);
    });
  }

  newWaiter(id: string): Promise<Waiter> {
    return this.#calling(async () => {
      const waiter = await this.#store.newWaiter(this.#names.add(id));
      return {
        id,
        wait: () => this.#calling(async () => this.#names.stripId(await waiter.wait())),
        cancel: () => waiter.cancel(),
      };
    });
  }

  waitFor(id: string, options?: WaitOptions): Promise<TaskOutcome>;
  waitFor(ids: readonly string[], options?: WaitOptions): Promise<TaskOutcome[]>;
  waitFor(
    ids: string | readonly string[],
    options?: WaitOptions,
  ): Promise<TaskOutcome | TaskOutcome[]> {
    return this.#calling(async () => {
      if (typeof ids === 'string') {
        return this.#names.stripId(await this.#store.waitFor(this.#names.add(ids), options));
      }
      return (await this.#store.waitFor(ids.map(this.#names.add), options)).map(
        this.#names.stripId,
      );
    });
  }

  getTask(id: string, options?: GetOptions): Promise<Task | null> {
    return this.#calling(async () => {
      const task = await this.#store.getTask(this.#names.add(id), options);
      return task && this.#names.stripTask(task);
    });
  }

  getTasks(ids: readonly string[]): Promise<Task[]> {
    return this.#calling(async () =>
      (await this.#store.getTasks(ids.map(this.#names.add))).map(this.#names.stripTask),
    );
  }

  getOutcomes(ids: readonly string[], options?: OutcomeOptions): Promise<TaskOutcome[]> {
    return this.#calling(async () =>
      (await this.#store.getOutcomes(ids.map(this.#names.add), options)).map(this.#names.stripId),
    );
  }

  getBodies(ids: readonly string[], options?: SizeOptions): Promise<TaskBody[]> {
    return this.#calling(async () =>
      (await this.#store.getBodies(ids.map(this.#names.add), options)).map(this.#names.stripId),
    );
  }

  async *listTasks(filter: TaskFilter = {}): AsyncGenerator<Task, void> {
    for await (const task of this.#store.listTasks(this.#names.addToFilter(filter))) {
      yield this.#names.stripTask(task);
    }
  }

  countTasks(filter: TaskFilter = {}): Promise<TaskCount[]> {
    return this.#calling(async () => {
      const counts = await this.#store.countTasks(this.#names.addToFilter(filter));
      return counts.map((one) => ({ ...one, action: this.#names.stripOptional(one.action) }));
    });
  }

  listRuns(filter: RunFilter = {}): Promise<RunRow[]> {
    return this.#calling(async () => {
      const runs = await this.#store.listRuns(this.#names.addToFilter(filter));
      return runs.map((run) => ({
        ...this.#names.stripId(run),
        action: this.#names.strip(run.action),
      }));
    });
  }

  listRunParts(id: string): Promise<RunPart[]> {
    return this.#calling(async () => {
      const parts = await this.#store.listRunParts(this.#names.add(id));
      return parts.map((part) => ({
        ...this.#names.stripId(part),
        action: this.#names.stripOptional(part.action),
      }));
    });
  }

  why(id: string): Promise<TaskStanding> {
    return this.#calling(async () =>
      this.#names.stripStanding(await this.#store.why(this.#names.add(id))),
    );
  }

  updateTasks(updates: readonly TaskUpdate[]): Promise<void> {
    return this.#calling(() =>
      this.#store.updateTasks(updates.map((one) => ({ ...one, id: this.#names.add(one.id) }))),
    );
  }

  signalTasks(ids: readonly string[], options?: SignalOptions): Promise<number> {
    return this.#calling(() => this.#store.signalTasks(ids.map(this.#names.add), options));
  }

  cancelTasks(ids: readonly string[], options?: CancelOptions): Promise<number> {
    return this.#calling(() => this.#store.cancelTasks(ids.map(this.#names.add), options));
  }

  rerunTasks(ids: readonly string[], options?: RerunOptions): Promise<number> {
    return this.#calling(() => this.#store.rerunTasks(ids.map(this.#names.add), options));
  }

  deleteTasks(ids: readonly string[], options?: DeleteOptions): Promise<number> {
    return this.#calling(() => this.#store.deleteTasks(ids.map(this.#names.add), options));
  }

  purgeTasks(filter: TaskFilter, options?: PurgeOptions): Promise<number> {
    return this.#calling(async () => {
      // The prefix is none of the caller's.
      checkHasCondition(filter);
      return this.#store.purgeTasks(this.#names.addToFilter(filter), options);
    });
  }

  cleanTasks(options: CleanOptions = {}): Promise<number> {
    const idPrefix = this.#names.add(options.idPrefix ?? '');
    return this.#calling(() => this.#store.cleanTasks({ ...options, idPrefix }));
  }

  /** Queues are shared, so a queue is paused for every prefix; an action only for this one. */
  pause(lanes: LaneFilter): Promise<void> {
    return this.#calling(() => this.#store.pause(this.#names.addToLanes(lanes)));
  }

  resume(lanes: LaneFilter): Promise<boolean> {
    return this.#calling(() => this.#store.resume(this.#names.addToLanes(lanes)));
  }

  /** Those of whole queues, and of actions of this prefix. */
  listPauses(): Promise<Pause[]> {
    return this.#calling(async () => {
      const pauses = await this.#store.listPauses();
      return pauses
        .filter(({ action }) => action === undefined || action.startsWith(this.#names.prefix))
        .map((one) => (one.action ? { ...one, action: this.#names.strip(one.action) } : one));
    });
  }

  setLimits(limitKey: string, limits: Limits): Promise<void> {
    return this.#calling(() =>
      this.#store.setLimits(limitKey && this.#names.add(limitKey), limits),
    );
  }

  announceWorker(worker: WorkerInfo, forMs: number): Promise<void> {
    const actorId = this.#names.add(worker.actorId);
    const actions = worker.actions.map(this.#names.add);
    return this.#calling(() => this.#store.announceWorker({ ...worker, actorId, actions }, forMs));
  }

  retireWorker(id: string): Promise<void> {
    return this.#calling(() => this.#store.retireWorker(id));
  }

  /** Those of this prefix. */
  listWorkers(): Promise<LiveWorker[]> {
    return this.#calling(async () => {
      const workers = await this.#store.listWorkers();
      return workers
        .filter(({ actorId }) => actorId.startsWith(this.#names.prefix))
        .map((one) => ({
          ...one,
          actorId: this.#names.strip(one.actorId),
          actions: one.actions.map(this.#names.strip),
        }));
    });
  }

  waitForReady(
    request: ReadyRequest,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<boolean> {
    const actions = request.actions.map(this.#names.add);
    return this.#calling(() => this.#store.waitForReady({ ...request, actions }, options));
  }

  registerBodySchema(action: string, schema: BodySchema): void {
    this.#store.registerBodySchema(this.#names.add(action), schema);
  }

  withPrefix(prefix: string): TaskStore {
    return new PrefixedTaskStore(this, prefix);
  }

  async #calling<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw this.#names.stripError(error);
    }
  }
}

/** Maps one by one, so that a source of any size keeps passing through. */
function mapTasks(
  tasks: Iterable<TaskInput> | AsyncIterable<TaskInput>,
  map: (task: TaskInput) => TaskInput,
): Iterable<TaskInput> | AsyncIterable<TaskInput> {
  return Symbol.asyncIterator in tasks ? mapAsync(tasks, map) : mapSync(tasks, map);
}

function* mapSync(tasks: Iterable<TaskInput>, map: (task: TaskInput) => TaskInput) {
  for (const task of tasks) yield map(task);
}

async function* mapAsync(tasks: AsyncIterable<TaskInput>, map: (task: TaskInput) => TaskInput) {
  for await (const task of tasks) yield map(task);
}
