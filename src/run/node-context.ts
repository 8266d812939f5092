import type { Progress, TaskContext } from '../graph/context.js';
import type { Spawn } from '../graph/spawn.js';
import type { Logger } from '../logger.js';
import type { OwnedTask } from '../store/task-store.js';
import type { ActionContext } from '../worker/actor.js';
import { type Spawner, spawnNothing } from './spawner.js';

type Values = Readonly<Record<string, unknown>>;

/** What the handler of a task sees. Its functions need no `this`: handlers take their context apart. */
export class NodeContext implements TaskContext<unknown, Values> {
  readonly input: unknown;
  readonly deps: Values;
  readonly spawn: Spawn;
  readonly #task: OwnedTask;
  readonly #context: ActionContext;

  constructor(
    given: { readonly input: unknown; readonly deps: Values },
    task: OwnedTask,
    context: ActionContext,
    spawner: Spawner | null = null,
  ) {
    this.spawn = spawner?.spawn ?? spawnNothing;
    this.input = given.input;
    this.deps = given.deps;
    this.#task = task;
    this.#context = context;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  get logger(): Logger {
    return this.#context.logger;
  }

  get attempt(): number {
    return this.#task.numTries;
  }

  get heartbeat(): () => Promise<void> {
    return () => this.#context.heartbeat();
  }

  get progress(): (report: Progress) => void {
    return (report) => this.#context.progress(report);
  }
}

/** What the handler of a map sees, for one item. */
export class ItemContext extends NodeContext {
  readonly item: unknown;
  readonly index: number;

  constructor(
    given: { readonly input: unknown; readonly deps: Values },
    task: OwnedTask,
    context: ActionContext,
    spawner: Spawner | null,
    place: { readonly item: unknown; readonly index: number },
  ) {
    super(given, task, context, spawner);
    this.item = place.item;
    this.index = place.index;
  }
}
