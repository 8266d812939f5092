import { InvalidOptionError, SignalboxError } from '../errors.js';
import type {
  BodySchema,
  CancelOptions,
  HeldTask,
  InsertOptions,
  OwnedTask,
  OwnRequest,
  ReadyRequest,
  RerunOptions,
  ReturnReport,
  SignalOptions,
  Task,
  TaskFilter,
  TaskInput,
  TaskOutcome,
  TaskReturn,
  TaskReturnOutcome,
  TaskStore,
  Waiter,
  WaitOptions,
} from '../store/task-store.js';

/**
 * A namespace in another store: `prefix.` goes before every id, action, actor id, channel and unique key on
 * the way in, and comes off everything on the way out, errors too. Queues are shared.
 *
 * The dot keeps `a` and `ab` apart. A nested prefix lies inside its parent: what `a.b` calls `x`, `a` calls `b.x`.
 */
export class PrefixedTaskStore implements TaskStore {
  readonly #store: TaskStore;
  readonly #prefix: string;

  constructor(store: TaskStore, prefix: string) {
    if (typeof prefix !== 'string' || prefix === '' || prefix.includes('\u0000')) {
      throw new InvalidOptionError('prefix', `is ${JSON.stringify(prefix)}; give a name`);
    }
    this.#store = store;
    this.#prefix = `${prefix}.`;
  }

  insertTasks(
    tasks: Iterable<TaskInput> | AsyncIterable<TaskInput>,
    options?: InsertOptions,
  ): Promise<{ inserted: number }> {
    return this.#calling(() => this.#store.insertTasks(mapTasks(tasks, this.#addToTask), options));
  }

  insertUnique(
    task: TaskInput & { uniqueKey: string },
    options?: InsertOptions,
  ): Promise<{ inserted: boolean; id: string }> {
    return this.#calling(async () => {
      const prefixed = {
        ...this.#addToTask(task),
        uniqueKey: task.uniqueKey && this.#add(task.uniqueKey),
      };
      return this.#stripId(await this.#store.insertUnique(prefixed, options));
    });
  }

  ownTasks(request: OwnRequest): Promise<OwnedTask[]> {
    return this.#calling(async () => {
      const owned = await this.#store.ownTasks({
        ...request,
        // Without a name stays without: the store below refuses it.
        actorId: request.actorId && this.#add(request.actorId),
        actions: request.actions.map(this.#add),
      });
      return owned.map((task) => ({ ...this.#stripId(task), action: this.#strip(task.action) }));
    });
  }

  extendTaskDeadline(id: string, token: string, maxDurationMs: number): Promise<void> {
    return this.#calling(() => this.#store.extendTaskDeadline(this.#add(id), token, maxDurationMs));
  }

  extendTaskDeadlines(held: readonly HeldTask[], maxDurationMs: number): Promise<string[]> {
    return this.#calling(async () => {
      const prefixed = held.map(({ id, token }) => ({ id: this.#add(id), token }));
      const extended = await this.#store.extendTaskDeadlines(prefixed, maxDurationMs);
      return extended.map(this.#strip);
    });
  }

  returnTask(id: string, token: string, outcome: TaskReturnOutcome): Promise<void> {
    return this.#calling(() =>
      this.#store.returnTask(this.#add(id), token, this.#addToOutcome(outcome)),
    );
  }

  returnTasks(returns: readonly TaskReturn[]): Promise<ReturnReport[]> {
    return this.#calling(async () => {
      const prefixed = returns.map((one) => ({
        ...this.#addToOutcome(one),
        id: this.#add(one.id),
        token: one.token,
      }));
      return (await this.#store.returnTasks(prefixed)).map(this.#stripReport);
    });
  }

  newWaiter(id: string): Promise<Waiter> {
    return this.#calling(async () => {
      const waiter = await this.#store.newWaiter(this.#add(id));
      return {
        id,
        wait: () => this.#calling(async () => this.#stripId(await waiter.wait())),
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
        return this.#stripId(await this.#store.waitFor(this.#add(ids), options));
      }
      return (await this.#store.waitFor(ids.map(this.#add), options)).map(this.#stripId);
    });
  }

  getTask(id: string): Promise<Task | null> {
    return this.#calling(async () => {
      const task = await this.#store.getTask(this.#add(id));
      return task && this.#stripTask(task);
    });
  }

  getTasks(ids: readonly string[]): Promise<Task[]> {
    return this.#calling(async () =>
      (await this.#store.getTasks(ids.map(this.#add))).map(this.#stripTask),
    );
  }

  async *listTasks(filter: TaskFilter = {}): AsyncGenerator<Task, void> {
    const { idPrefix = '', actions, ...others } = filter;
    const prefixed = {
      ...others,
      idPrefix: this.#add(idPrefix),
      ...(actions ? { actions: actions.map(this.#add) } : {}),
    };
    for await (const task of this.#store.listTasks(prefixed)) yield this.#stripTask(task);
  }

  signalTasks(ids: readonly string[], options?: SignalOptions): Promise<number> {
    return this.#calling(() => this.#store.signalTasks(ids.map(this.#add), options));
  }

  cancelTasks(ids: readonly string[], options?: CancelOptions): Promise<number> {
    return this.#calling(() => this.#store.cancelTasks(ids.map(this.#add), options));
  }

  rerunTasks(ids: readonly string[], options?: RerunOptions): Promise<number> {
    return this.#calling(() => this.#store.rerunTasks(ids.map(this.#add), options));
  }

  deleteTasks(ids: readonly string[]): Promise<number> {
    return this.#calling(() => this.#store.deleteTasks(ids.map(this.#add)));
  }

  waitForReady(
    request: ReadyRequest,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<void> {
    const actions = request.actions.map(this.#add);
    return this.#calling(() => this.#store.waitForReady({ ...request, actions }, options));
  }

  registerBodySchema(action: string, schema: BodySchema): void {
    this.#store.registerBodySchema(this.#add(action), schema);
  }

  withPrefix(prefix: string): TaskStore {
    return new PrefixedTaskStore(this, prefix);
  }

  readonly #add = (name: string): string => this.#prefix + name;

  readonly #strip = (name: string): string =>
    name.startsWith(this.#prefix) ? name.slice(this.#prefix.length) : name;

  readonly #stripOptional = (name: string | null): string | null => name && this.#strip(name);

  readonly #stripId = <T extends { readonly id: string }>(named: T): T => ({
    ...named,
    id: this.#strip(named.id),
  });

  readonly #stripTask = (task: Task): Task => ({
    ...this.#stripId(task),
    action: this.#stripOptional(task.action),
    toSignalAfter: task.toSignalAfter.map(this.#strip),
    uniqueKey: this.#stripOptional(task.uniqueKey),
    notifyChannelAfter: this.#stripOptional(task.notifyChannelAfter),
    actorId: this.#stripOptional(task.actorId),
  });

  readonly #stripReport = (report: ReturnReport): ReturnReport =>
    report.ok
      ? this.#stripId(report)
      : { ...this.#stripId(report), error: this.#stripError(report.error) };

  /** What is no name stays as it is: the store below says what is wrong with it. */
  readonly #addToTask = (task: TaskInput): TaskInput => {
    const add = <T>(name: T): T | string =>
      typeof name === 'string' && name !== '' ? this.#add(name) : name;
    const prefixed: Record<string, unknown> = {
      ...task,
      id: add(task.id),
      action: add(task.action),
    };
    if (Array.isArray(task.toSignalAfter)) prefixed.toSignalAfter = task.toSignalAfter.map(add);
    if (task.uniqueKey !== undefined) prefixed.uniqueKey = add(task.uniqueKey);
    if (task.notifyChannelAfter !== undefined) {
      prefixed.notifyChannelAfter = add(task.notifyChannelAfter);
    }
    return { ...task, ...prefixed };
  };

  readonly #addToOutcome = <T extends TaskReturnOutcome>(outcome: T): T =>
    outcome.tasks ? { ...outcome, tasks: outcome.tasks.map(this.#addToTask) } : outcome;

  readonly #stripError = <E>(error: E): E | SignalboxError =>
    error instanceof SignalboxError ? error.renamed(this.#strip) : error;

  async #calling<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw this.#stripError(error);
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
