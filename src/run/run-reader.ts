import { SnoozeError } from '../errors.js';
import type { NodeDefinition } from '../graph/node-definition.js';
import type { Cause, NodeOutcome } from '../graph/trigger.js';
import type { Json, Task, TaskBody, TaskOutcome, TaskStore } from '../store/task-store.js';
import { BatchLoader } from './batch-loader.js';
import { CollectedRows, withCollected } from './collected-rows.js';
import { LruCache } from './lru-cache.js';
import { below, INTERNAL, taskId } from './names.js';
import type { Scope } from './plan.js';
import { readRunBody } from './run-body.js';

/** What the nodes of a scope have for input; or the outcome of the sub-graph's own input, that there is none. */
export type ScopeInput =
  | { readonly input: unknown }
  | { readonly missing: Exclude<NodeOutcome, { statusCode: 'completed' }> };

type Store = Pick<TaskStore, 'getOutcomes' | 'getBodies' | 'getTasks'>;

/** Characters of JSON. */
const MAX_CACHED_INPUTS = 16 * 1024 * 1024;
/** What an entry takes besides its input. */
const ENTRY_WEIGHT = 100;
const PAUSE_MS = 1_000;

/**
 * Reads what has become of a run for those who perform it: see BatchLoader.
 *
 * Inputs of runs that were not spawned never change and are kept, within bounds; outcomes are not, as a rerun changes them. A
 * database that cannot be reached uses up no try: SnoozeError.
 */
export class RunReader {
  readonly #store: Store;
  readonly #outcomes: BatchLoader<TaskOutcome>;
  readonly #statuses: BatchLoader<TaskOutcome>;
  readonly #tasks: BatchLoader<Task>;
  readonly #bodies: BatchLoader<TaskBody>;
  readonly #inputs = new LruCache<{ readonly input: unknown }>(MAX_CACHED_INPUTS);

  constructor(store: Store) {
    this.#store = store;
    this.#outcomes = new BatchLoader((ids) => store.getOutcomes(ids).catch(snooze));
    this.#statuses = new BatchLoader((ids) =>
      store.getOutcomes(ids, { results: false }).catch(snooze),
    );
    this.#tasks = new BatchLoader((ids) => store.getTasks(ids).catch(snooze));
    this.#bodies = new BatchLoader((ids) => store.getBodies(ids).catch(snooze));
  }

  outcomes(ids: Iterable<string>): Promise<ReadonlyMap<string, TaskOutcome>> {
    return this.#outcomes.load(ids);
  }

  /** Without the results of what completed. */
  statuses(ids: Iterable<string>): Promise<ReadonlyMap<string, TaskOutcome>> {
    return this.#statuses.load(ids);
  }

  tasks(ids: Iterable<string>): Promise<ReadonlyMap<string, Task>> {
    return this.#tasks.load(ids);
  }

  /** SnoozeError where the run was started with another shape of the same version: another worker may know it. */
  async input(run: string, scope: Scope): Promise<ScopeInput> {
    if (scope.path !== '') return this.#subInput(run, scope);
    const known = this.#inputs.get(run);
    if (known) return known;
    const task = (await this.#bodies.load([run])).get(run);
    if (!task) {
      return { missing: { statusCode: 'cancelled', status: 'the run was deleted' } };
    }
    const { hash, input } = readRunBody(task.body);
    if (hash !== scope.graph.hash) throw otherShape(scope, hash);
    // A run that was spawned anew has the id of the one before, and may have another input.
    if (run.includes(`/${INTERNAL.spawned}/`)) return { input };
    const weight = ENTRY_WEIGHT + (JSON.stringify(input)?.length ?? 0);
    this.#inputs.set(run, { input }, weight);
    return { input };
  }

  async #subInput(run: string, scope: Scope): Promise<ScopeInput> {
    const id = taskId(run, below(scope.path, INTERNAL.input));
    const outcome = (await this.outcomes([id])).get(id);
    if (outcome?.statusCode === 'completed') return { input: fieldOf(outcome.result, 'input') };
    const missing = this.outcomeOf('task', outcome);
    if (missing.statusCode === 'completed') throw new RangeError(`${id} completed`);
    return { missing };
  }

  /** What an outcome means for those that depend on the node. */
  outcomeOf(kind: NodeDefinition['kind'], outcome: TaskOutcome | undefined): NodeOutcome {
    if (!outcome) return { statusCode: 'cancelled', status: 'it was deleted' };
    const { statusCode, status, result } = outcome;
    switch (statusCode) {
      case 'completed':
        return { statusCode, value: this.#valueOf(kind, outcome) };
      case 'aborted':
      case 'cancelled':
        return { statusCode, status };
      case 'skipped':
        return { statusCode, status, cause: causeOf(result) };
      default:
        throw new Error(`Task ${JSON.stringify(outcome.id)} is ${statusCode}, and was waited for.`);
    }
  }

  #valueOf(kind: NodeDefinition['kind'], { id, result }: TaskOutcome): unknown {
    if (kind === 'sleep') return null;
    if (kind === 'graph') return withCollected(this.#store, result);
    if (kind !== 'map') return result ?? undefined;
    const total = Number(fieldOf(result, 'total') ?? 0);
    const count = Number(fieldOf(result, 'count') ?? 0);
    return new CollectedRows(this.#store, { '~collected': id, total, count });
  }
}

/** A field of a result that signalbox itself has written. */
export function fieldOf(result: Json, name: string): Json | undefined {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return undefined;
  return new Map(Object.entries(result)).get(name);
}

function causeOf(result: Json): Cause | null {
  const cause = fieldOf(result, 'cause');
  // What `skipped` has written.
  return (cause ?? null) as Cause | null;
}

function snooze(cause: unknown): never {
  throw Object.assign(new SnoozeError(new Date(Date.now() + PAUSE_MS)), { cause });
}

function otherShape({ graph }: Scope, hash: string): SnoozeError {
  const error = new SnoozeError(new Date(Date.now() + PAUSE_MS));
  error.message =
    `waits for a worker that knows graph ${JSON.stringify(graph.name)} version ${graph.version} by the hash ${hash}; ` +
    `this one has ${graph.hash}. Raise the version when the shape changes`;
  return error;
}
