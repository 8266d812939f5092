import type { SpawnsDefinition } from '../graph/node-definition.js';
import { FAILURES } from '../store/status-code.js';
import type { TaskStore } from '../store/task-store.js';
import type { ActorResult } from '../worker/actor.js';
import type { MaybePromise } from './maybe-promise.js';
import { below, INTERNAL, taskId } from './names.js';
import { readFailures } from './perform-graph.js';
import { completed, follow, type Performing } from './performing.js';
import type { Work } from './plan.js';
import type { NodeFailure } from './run-errors.js';
import { Spawner } from './spawner.js';

/*
 * A task that spawns: its handler `~work` has the runs that it spawned inserted in the transaction of its own return, all of
 * them or none. Each is a whole run whose own task signals the join; so does that of a run which one of those spawned,
 * one level down: the join begins when everything below it has ended.
 *
 *   after -> ~work -> join        ~work inserts: x/~spawned/0 -> join, x/~spawned/1 -> join, ...
 *
 * An item of a map does the same, and its runs signal the map's join: each/~spawned/17/0 -> each.
 *
 * Performed again (a rerun), a handler first deletes what it spawned before. A crash in between leaves a task that is not
 * returned: nothing after it can begin, since the join waits for it too, and whoever owns it next spawns anew.
 */

type Of<Role extends Work['role']> = Performing<Extract<Work, { role: Role }>>;

/** A run that was spawned, and came to nothing. */
export interface FailedSpawn {
  /** Its places: of the item that spawned it, if one did, and among its runs. */
  readonly places: readonly number[];
  /** `spawned run etl/42/x/~spawned/0 failed: boom`. */
  readonly status: string;
  /** By paths below the run that the join is of. */
  readonly failures: readonly NodeFailure[];
}

/** A thousand runs that fail alike are not a thousand lines of a result. */
const MAX_FAILURES = 100;

/** The value is the handler's; it is kept in the result of `~work` too, whatever became of what it spawned. */
export async function performSpawnJoin(performing: Of<'spawn-join'>): Promise<ActorResult> {
  const { work, run, reader, task, store } = performing;
  const id = taskId(run, below(work.path, INTERNAL.work));
  const [handled] = await reader.outcomes([id]);
  const ended = reader.outcomeOf('task', handled);
  if (ended.statusCode !== 'completed') return follow(ended);
  if (task.numSignalledFailures === 0) return completed(ended.value);
  const failed = await failedSpawns(store, run, work.path, 1);
  const [first] = failed;
  if (!first) return completed(ended.value);
  const failures = failed.flatMap((one) => one.failures).slice(0, MAX_FAILURES);
  const status =
    failed.length > 1 ? `${first.status}; and ${failed.length - 1} more` : first.status;
  const result = { failures: failures.map((one) => ({ ...one })) };
  return { statusCode: 'aborted', status, result };
}

/** The runs spawned by the node at `path` that failed or were cancelled, in their order; `depth`: how many places they have. */
export async function failedSpawns(
  store: Pick<TaskStore, 'listTasks'>,
  run: string,
  path: string,
  depth: 1 | 2,
): Promise<FailedSpawn[]> {
  const from = below(path, INTERNAL.spawned);
  const idPrefix = taskId(run, `${from}/`);
  const found: FailedSpawn[] = [];
  for await (const { id, status, statusCode, result } of store.listTasks({
    idPrefix,
    statusCodes: FAILURES,
  })) {
    const places = id.slice(idPrefix.length).split('/').map(Number);
    if (places.length !== depth) continue;
    const node = below(path, id.slice(taskId(run, `${path}/`).length));
    const detail = status ?? 'no reason was given';
    const within = readFailures(result).map((one) => ({ ...one, node: below(node, one.node) }));
    found.push({
      places,
      status: `spawned run ${id} ${statusCode === 'aborted' ? 'failed' : 'was cancelled'}: ${detail}`,
      failures: within.length > 0 ? within : [{ node, status: detail }],
    });
  }
  return found.sort((a, b) => compare(a.places, b.places));
}

/** Ids are ordered as text: 10 before 9. */
function compare([a = 0, ...as]: readonly number[], [b = 0, ...bs]: readonly number[]): number {
  return a - b || (as.length > 0 ? compare(as, bs) : 0);
}

/** What the handler of a task or an item starts with; null: its node spawns nothing. What a try of before spawned is deleted. */
export function openSpawner(
  performing: Of<'task' | 'item'>,
  item: number | null,
): MaybePromise<Spawner | null> {
  const { spawns } = performing.work.node;
  return spawns === null ? null : openDeclared(performing, spawns, item);
}

async function openDeclared(
  performing: Of<'task' | 'item'>,
  spawns: SpawnsDefinition,
  item: number | null,
): Promise<Spawner> {
  const { work, run, task } = performing;
  const join = taskId(run, below(work.scope.path, work.node.id));
  const spawned = below(join, INTERNAL.spawned);
  const from = item === null ? spawned : `${spawned}/${item}`;
  await deleteSpawned(performing, from);
  return new Spawner({ spawns, below: from, join, priority: task.priority, queue: task.queue });
}

/** What runs may spawn until it is deleted itself: hence until nothing is left. */
async function deleteSpawned({ reader, store }: Performing, from: string): Promise<void> {
  const [first] = await reader.statuses([`${from}/0`]);
  if (!first) return;
  for (;;) {
    const ids: string[] = [];
    for await (const { id } of store.listTasks({ idPrefix: `${from}/` })) ids.push(id);
    if (ids.length === 0) return;
    await store.deleteTasks(ids);
  }
}
