import { MAX_ID_BYTES } from '../column-limits.js';
import { PermanentError } from '../errors.js';
import type { GraphDefinition, SpawnsDefinition } from '../graph/node-definition.js';
import type { SpawnableGraph, SpawnedRun, SpawnOptions } from '../graph/spawn.js';
import type { TaskInput } from '../store/task-store.js';
import { toRunInput } from './run-input.js';
import { runTasks } from './run-tasks.js';
import { WatchedPromise } from './watched-promise.js';

interface SpawnerOptions {
  readonly spawns: SpawnsDefinition;
  /** Runs are `<below>/0`, `<below>/1` and so on. */
  readonly below: string;
  /** The id of the task that waits for them. */
  readonly join: string;
  /** Of runs that do not say theirs. */
  readonly priority: number;
  readonly queue: string;
}

/**
 * Collects what the handler of one task spawns, for the return of that task. Runs are numbered in the order in which their
 * inputs turned out to fit, without a gap: where there is no first, there is none.
 */
export class Spawner {
  readonly #options: SpawnerOptions;
  readonly #tasks: TaskInput[] = [];
  readonly #all: WatchedPromise<SpawnedRun>[] = [];
  readonly #byKey = new Map<string, WatchedPromise<SpawnedRun>>();
  #count = 0;
  #isClosed = false;

  constructor(options: SpawnerOptions) {
    this.#options = options;
  }

  /** See Spawn. A function that needs no `this`. */
  readonly spawn = (
    graph: SpawnableGraph<never>,
    input?: unknown,
    options: SpawnOptions = {},
  ): Promise<SpawnedRun> => {
    const { key } = options;
    const known = key === undefined ? undefined : this.#byKey.get(key);
    if (known) return known;
    const spawned = WatchedPromise.of(this.#add(graph, input, options));
    this.#all.push(spawned);
    if (key !== undefined) this.#byKey.set(key, spawned);
    return spawned;
  };

  /**
   * All tasks of all runs, once the handler is through. Rejects as a spawn did for which the handler did not wait: it would
   * be missing without a word.
   */
  async collect(): Promise<readonly TaskInput[]> {
    const unwatched = this.#all.filter(({ isWatched }) => !isWatched);
    await Promise.all(unwatched);
    await Promise.allSettled(this.#all);
    this.#isClosed = true;
    return this.#tasks;
  }

  async #add(
    wanted: SpawnableGraph<never>,
    input: unknown,
    { priority, queue }: SpawnOptions,
  ): Promise<SpawnedRun> {
    const { below, join, spawns, ...inherited } = this.#options;
    const graph = declared(spawns, wanted);
    const value = await toRunInput(graph, input);
    if (this.#isClosed) {
      throw new PermanentError('spawn() was called after the handler had returned; wait for it');
    }
    const id = `${below}/${this.#count}`;
    checkLength(id, graph);
    this.#count++;
    const settings = {
      priority: priority ?? inherited.priority,
      queue: queue ?? inherited.queue,
    };
    for (const task of runTasks(graph, id, value, settings)) {
      this.#tasks.push(task.id === id ? { ...task, toSignalAfter: [join] } : task);
    }
    return { id };
  }
}

/** For handlers of nodes that declare nothing. */
export async function spawnNothing(graph: SpawnableGraph<never>): Promise<never> {
  throw undeclared(graph);
}

function declared(spawns: SpawnsDefinition, wanted: SpawnableGraph<never>): GraphDefinition {
  const graph = spawns.graphs().find((one) => one === wanted);
  if (!graph) throw undeclared(wanted);
  return graph;
}

function undeclared({ name }: SpawnableGraph<never>): PermanentError {
  return new PermanentError(
    `the node does not declare that it spawns graph ${JSON.stringify(name)}; add it to the node's spawns`,
  );
}

/** Each level of runs within runs makes ids longer. */
function checkLength(id: string, { maxPathBytes }: GraphDefinition): void {
  const bytes = Buffer.byteLength(id) + 1 + maxPathBytes;
  if (bytes <= MAX_ID_BYTES) return;
  throw new PermanentError(
    `the spawned run ${JSON.stringify(id)} lies too deep: its ids have up to ${bytes} bytes, more than ${MAX_ID_BYTES}`,
  );
}
