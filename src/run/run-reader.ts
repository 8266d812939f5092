import { SnoozeError } from '../errors.js';
import type { NodeDefinition } from '../graph/node-definition.js';
import type { Cause, NodeOutcome } from '../graph/trigger.js';
import type { Json, Task, TaskBody, TaskOutcome, TaskStore } from '../store/task-store.js';
import { BatchLoader } from './batch-loader.js';
import { CollectedRows, withCollected } from './collected-rows.js';
import { LruCache } from './lru-cache.js';
import type { MaybePromise } from './maybe-promise.js';
import { below, INTERNAL, taskId } from './names.js';
import type { Scope } from './plan.js';
import { readRunBody } from './run-body.js';

/** What the nodes of a scope have for input; or the outcome of the sub-graph's own input, that there is none. */
export type ScopeInput =
  | { readonly input: unknown }
  | { readonly missing: Exclude<NodeOutcome, { statusCode: 'completed' }> };

/** What the ids asked for came to, in their order; undefined: there is no such task. */
export type Outcomes = readonly (TaskOutcome | undefined)[];

type OutcomesById = ReadonlyMap<string, TaskOutcome>;

type Store = Pick<TaskStore, 'getOutcomes' | 'getBodies' | 'getTasks'>;

/** Characters of JSON. */
const MAX_CACHED_INPUTS = 16 * 1024 * 1024;
/** What an entry takes besides its input. */
const ENTRY_WEIGHT = 100;
/** Of one result, or input, that is read before it is asked for: 1,500 tasks may be owned ahead. */
const MAX_AHEAD_BYTES = 8 * 1024;
const PAUSE_MS = 1_000;

/** What one task will read. */
export interface Wanted {
  /** That of the task: it tells the start of the run, but for items. */
  readonly body: Json;
  readonly outcomes: readonly string[];
  readonly statuses: readonly string[];
  /** The run whose input it needs. */
  readonly run: string | null;
}

/** What was read ahead for the tasks of one claim. */
interface ReadAhead {
  readonly outcomes: OutcomesById;
  readonly statuses: OutcomesById;
}

const NOTHING: ReadAhead = Object.freeze({ outcomes: new Map(), statuses: new Map() });

interface StampedInput {
  readonly stamp: string;
  readonly input: unknown;
}

/** What all readers of one actor share. */
interface Sources {
  readonly store: Store;
  readonly outcomes: BatchLoader<TaskOutcome>;
  readonly statuses: BatchLoader<TaskOutcome>;
  readonly tasks: BatchLoader<Task>;
  readonly bodies: BatchLoader<TaskBody>;
  readonly inputs: LruCache<StampedInput>;
}

/**
 * Reads what has become of a run for those who perform it.
 *
 * What the tasks of a claim will read is read at once, before they take up workers, but for large results; it holds as long
 * as their ownership does: a rerun of what they depend on takes them away. What is asked for besides is read
 * in batches: see BatchLoader. Inputs of runs are kept, within bounds, under the stamp of their start: a run that is deleted
 * and started again under its id has another. A database that cannot be reached uses up no try: SnoozeError.
 */
export class RunReader {
  readonly #sources: Sources;
  readonly #ahead: ReadAhead;

  private constructor(sources: Sources, ahead: ReadAhead) {
    this.#sources = sources;
    this.#ahead = ahead;
  }

  static over(store: Store): RunReader {
    return new RunReader(sourcesOf(store), NOTHING);
  }

  /** One that has read ahead for the tasks of a claim: three queries at most. */
  async ahead(wanted: readonly Wanted[]): Promise<RunReader> {
    const { store, inputs } = this.#sources;
    const outcomes = new Set<string>();
    const statuses = new Set<string>();
    const runs = new Set<string>();
    for (const one of wanted) {
      for (const id of one.outcomes) outcomes.add(id);
      for (const id of one.statuses) statuses.add(id);
      if (one.run !== null && inputs.get(one.run)?.stamp !== one.body) runs.add(one.run);
    }
    const maxBytes = MAX_AHEAD_BYTES;
    const [full, light] = await Promise.all([
      outcomes.size > 0 ? store.getOutcomes([...outcomes], { maxBytes }) : [],
      statuses.size > 0 ? store.getOutcomes([...statuses], { results: false, maxBytes }) : [],
      runs.size > 0 ? this.#readInputs([...runs], maxBytes) : undefined,
    ]);
    return new RunReader(this.#sources, { outcomes: byId(full), statuses: byId(light) });
  }

  outcomes(ids: readonly string[]): MaybePromise<Outcomes> {
    return outcomesOf(ids, this.#ahead.outcomes, this.#sources.outcomes);
  }

  /** Without the results of what completed. */
  statuses(ids: readonly string[]): MaybePromise<Outcomes> {
    return outcomesOf(ids, this.#ahead.statuses, this.#sources.statuses);
  }

  tasks(ids: Iterable<string>): Promise<ReadonlyMap<string, Task>> {
    return this.#sources.tasks.load(ids);
  }

  /** Of the start of the run that has this stamp. */
  input(run: string, stamp: string): MaybePromise<ScopeInput> {
    const known = this.#sources.inputs.get(run);
    return known?.stamp === stamp ? known : this.#readInput(run, stamp);
  }

  async #readInput(run: string, stamp: string): Promise<ScopeInput> {
    const task = (await this.#sources.bodies.load([run])).get(run);
    const read = task && this.#keepInput(task);
    if (read?.stamp === stamp) return read;
    return { missing: { statusCode: 'cancelled', status: 'the run was deleted' } };
  }

  async #readInputs(runs: readonly string[], maxBytes: number): Promise<void> {
    for (const body of await this.#sources.store.getBodies(runs, { maxBytes }))
      this.#keepInput(body);
  }

  #keepInput({ id, body }: TaskBody): StampedInput {
    const { stamp, input } = readRunBody(body);
    const weight = ENTRY_WEIGHT + (input === undefined ? 0 : JSON.stringify(input).length);
    this.#sources.inputs.set(id, { stamp, input }, weight);
    return { stamp, input };
  }

  /** Of a sub-graph: what its node has worked out. */
  async subInput(run: string, scope: Scope): Promise<ScopeInput> {
    const id = taskId(run, below(scope.path, INTERNAL.input));
    const [outcome] = await this.outcomes([id]);
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
    if (kind === 'graph') return withCollected(this.#sources.store, result);
    if (kind !== 'map') return result ?? undefined;
    const total = Number(fieldOf(result, 'total') ?? 0);
    const count = Number(fieldOf(result, 'count') ?? 0);
    return new CollectedRows(this.#sources.store, { '~collected': id, total, count });
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

function byId(outcomes: readonly TaskOutcome[]): OutcomesById {
  return new Map(outcomes.map((one) => [one.id, one]));
}

/** Those known; all are loaded where one of them is not. */
function outcomesOf(
  ids: readonly string[],
  known: OutcomesById,
  loader: BatchLoader<TaskOutcome>,
): MaybePromise<Outcomes> {
  const outcomes = ids.map((id) => known.get(id));
  if (!outcomes.includes(undefined)) return outcomes;
  return loader.load(ids).then((loaded) => ids.map((id) => loaded.get(id)));
}

function sourcesOf(store: Store): Sources {
  return {
    store,
    outcomes: new BatchLoader((ids) => store.getOutcomes(ids).catch(snooze)),
    statuses: new BatchLoader((ids) => store.getOutcomes(ids, { results: false }).catch(snooze)),
    tasks: new BatchLoader((ids) => store.getTasks(ids).catch(snooze)),
    bodies: new BatchLoader((ids) => store.getBodies(ids).catch(snooze)),
    inputs: new LruCache(MAX_CACHED_INPUTS),
  };
}
