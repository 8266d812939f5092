import { createHash } from 'node:crypto';
import { MAX_LANE_BYTES } from '../column-limits.js';
import { PermanentError } from '../errors.js';
import type { FailAfter } from '../graph/node-options.js';
import { CONDITION_REASON, type NodeOutcome } from '../graph/trigger.js';
import { isFailure } from '../store/status-code.js';
import type { Json, TaskInput } from '../store/task-store.js';
import type { ActorResult } from '../worker/actor.js';
import { itemOutcomes } from './collected-rows.js';
import { below, INTERNAL, taskId } from './names.js';
import { failedSpawns } from './perform-spawn.js';
import { isWanted } from './perform-task.js';
import { completed, follow, judgeEdges, judgeNode, type Performing } from './performing.js';
import type { Work, Zip } from './plan.js';
import { fieldOf } from './run-reader.js';
import { OWN_MAX_TRIES, performFields } from './run-tasks.js';

/*
 * A map: the expander `~items` judges it and inserts an item for each element, in the transaction of its own return: so
 * there are all of them or none, whenever its worker dies. Each item signals the join, which counts.
 *
 *   over, after -> ~items -> join        ~items inserts: each/0 -> join, each/1 -> join, ...
 *
 * A map over a map has its items inserted by the same expander: first/i -> second/i -> second's join. If it depends on
 * more, or has a condition, its items also wait for ~open, a milestone that its gate inserts when that has ended.
 *
 * Performed again (a rerun), an expander first deletes the items of before. A crash in between leaves a map without
 * items whose expander is not returned: nothing after it can begin, since the join waits for the expander too, and whoever
 * owns it next inserts them. The same holds for a gate and its milestone.
 */

type Of<Role extends Work['role']> = Performing<Extract<Work, { role: Role }>>;

export async function performItems(performing: Of<'items'>): Promise<ActorResult> {
  const { work, task } = performing;
  const { node } = work;
  await deleteItems(performing);
  const judged = await judgeNode(performing, [node.over, ...node.edges], { valuesOf: node.over });
  if ('refusal' in judged) return judged.refusal;
  if (!(await isWanted(node, judged))) return { statusCode: 'skipped', status: CONDITION_REASON };
  const elements = elementsOf(judged.outcomeOf(node.over.nodes[0] ?? ''), node.over.nodes[0]);
  const result = { count: elements.length, stamp: task.body };
  return completed(result, itemTasks(performing, elements));
}

function elementsOf(outcome: NodeOutcome, name: string | undefined): readonly Json[] {
  const value = outcome.statusCode === 'completed' ? outcome.value : undefined;
  if (Array.isArray(value)) return value;
  throw new PermanentError(
    `over must be an array, and ${JSON.stringify(name)} came to ${value === undefined ? 'undefined' : typeof value}`,
  );
}

async function deleteItems({ store, run, work }: Of<'items'>): Promise<void> {
  const paths = [below(work.scope.path, work.node.id), ...work.zipped.map(({ path }) => path)];
  const first = paths.map((path) => taskId(run, `${path}/0`));
  // They are deleted all at once: where there is no first, there is none.
  if ((await store.getOutcomes(first, { results: false })).length === 0) return;
  const ids: string[] = [];
  for (const path of paths) {
    const idPrefix = taskId(run, `${path}/`);
    for await (const { id } of store.listTasks({ idPrefix })) {
      if (isInserted(id.slice(idPrefix.length))) ids.push(id);
    }
  }
  await store.deleteTasks(ids);
}

/** Items, and what they spawned: all below a map but what it began with. */
function isInserted(path: string): boolean {
  return !path.startsWith('~') || path.startsWith(`${INTERNAL.spawned}/`);
}

function itemTasks({ work, run, task }: Of<'items'>, elements: readonly Json[]): TaskInput[] {
  const path = below(work.scope.path, work.node.id);
  const zips: Zip[] = [
    { node: work.node, path, action: work.action, root: path, over: null, hasGate: false },
    ...work.zipped,
  ];
  const own = work.action.slice(0, -(INTERNAL.items.length + 1));
  const inherited = { priority: task.priority, queue: task.queue };
  return zips.flatMap((zip) => {
    const following = zips.filter(({ over }) => over === zip.path);
    const common = {
      action: zip.over === null ? own : zip.action,
      maxTries: zip.node.settings.maxTries,
      ...(zip.hasGate ? { totalDependencies: 2 } : {}),
      ...performFields(zip.node.settings, inherited),
      ...limitOf(zip, run),
    };
    const join = taskId(run, zip.path);
    return elements.map((element, i) => ({
      ...common,
      id: `${join}/${i}`,
      ...(zip.over === null && element !== null ? { body: element } : {}),
      toSignalAfter: [join, ...following.map((next) => taskId(run, `${next.path}/${i}`))],
    }));
  });
}

/** A limit of the node's own goes before its concurrency: a task counts towards one key. */
function limitOf({ node, path }: Zip, run: string): Partial<TaskInput> {
  if (node.concurrency === null || node.settings.limitKey !== null) return {};
  const name = taskId(run, path);
  const limitKey =
    Buffer.byteLength(name) < MAX_LANE_BYTES / 2
      ? name
      : createHash('sha256').update(name).digest('hex');
  return { limitKey, limit: node.concurrency };
}

/** Opens the items of a map over a map once all else that it depends on has ended, whatever comes of that. */
export async function performMapGate(performing: Of<'map-gate'>): Promise<ActorResult> {
  const { store, run, work, reader } = performing;
  const items = taskId(run, below(work.zip.root, INTERNAL.items));
  const open = taskId(run, below(work.zip.path, INTERNAL.open));
  await store.deleteTasks([open]);
  const [[outcome], result] = await Promise.all([reader.outcomes([items]), judgeGate(performing)]);
  const { statusCode, result: expanded } = outcome ?? {};
  const count = statusCode === 'completed' ? Number(fieldOf(expanded ?? null, 'count')) : 0;
  if (count === 0) return result;
  const join = taskId(run, work.zip.path);
  const toSignalAfter = Array.from({ length: count }, (_, i) => `${join}/${i}`);
  return { ...result, tasks: [{ id: open, action: null, toSignalAfter }] };
}

/** A gate is tried without end, or its items would wait without end; what a condition throws is counted here. */
async function judgeGate(performing: Of<'map-gate'>): Promise<ActorResult> {
  const { node } = performing.work;
  const judged = await judgeNode(performing, node.edges);
  if ('refusal' in judged) return judged.refusal;
  try {
    if (await isWanted(node, judged)) return completed(undefined);
    return { statusCode: 'skipped', status: CONDITION_REASON };
  } catch (error) {
    const isLast = performing.task.numTries >= OWN_MAX_TRIES || error instanceof PermanentError;
    if (!isLast) throw error;
    return {
      statusCode: 'aborted',
      status: error instanceof Error ? error.message : String(error),
    };
  }
}

/** The end of a map: counts what became of its items, those of before a rerun too, and decides. */
export async function performJoin(performing: Of<'join'>): Promise<ActorResult> {
  const { work, run, reader } = performing;
  const items = taskId(run, below(work.zip.root, INTERNAL.items));
  const gate = work.zip.hasGate ? [taskId(run, below(work.path, INTERNAL.gate))] : [];
  const [expanded, ...gated] = await reader.outcomes([items, ...gate]);
  const ended = reader.outcomeOf('task', expanded);
  if (work.zip.over !== null) {
    const judged = await judgeEdges(performing, [work.node.over]);
    if ('refusal' in judged) return judged.refusal;
  }
  if (ended.statusCode !== 'completed') return follow(ended);
  for (const outcome of gated) {
    const judged = reader.outcomeOf('task', outcome);
    if (judged.statusCode !== 'completed') return follow(judged);
  }
  const total = Number(fieldOf(expanded?.result ?? null, 'count') ?? 0);
  return decide(await countItems(performing, total), total, work.node.failAfter);
}

interface ItemCounts {
  readonly completed: number;
  readonly failed: number;
  /** Of the first that failed. */
  readonly firstFailure: string | null;
}

async function countItems(performing: Of<'join'>, total: number): Promise<ItemCounts> {
  const { store, task, work } = performing;
  // Items of a map over an array are not skipped: what gave no failure has completed.
  const isClean = work.zip.over === null && task.numSignalledFailures === 0;
  if (isClean) return { completed: total, failed: 0, firstFailure: null };
  const spawns = await failedSpawnsByItem(performing);
  let [numCompleted, failed, firstFailure]: [number, number, string | null] = [0, 0, null];
  let index = 0;
  for await (const item of itemOutcomes(store, task.id, total, { results: false })) {
    if (item.statusCode === 'completed') numCompleted++;
    const failure = isFailure(item) ? (item.status ?? item.statusCode) : spawns.get(index);
    if (failure !== undefined) {
      failed++;
      firstFailure ??= `item ${index}: ${failure}`;
    }
    index++;
  }
  return { completed: numCompleted, failed, firstFailure };
}

/** What became of the first run that failed of each item which spawned one; its own result counts all the same. */
async function failedSpawnsByItem({
  store,
  run,
  work,
}: Of<'join'>): Promise<ReadonlyMap<number, string>> {
  if (work.node.spawns === null) return new Map();
  const failed = await failedSpawns(store, run, work.path, 2);
  return new Map(failed.reverse().map(({ places: [item = 0], status }) => [item, status]));
}

function decide(counts: ItemCounts, total: number, failAfter: FailAfter): ActorResult {
  const { failed, firstFailure } = counts;
  const isFailed =
    'count' in failAfter ? failed >= failAfter.count : failed > failAfter.ratio * total;
  const value = { total, count: counts.completed };
  if (!isFailed || failed === 0) return completed(value);
  const status = `${failed} of ${total} items failed, first ${firstFailure}`;
  return { statusCode: 'aborted', status, result: value };
}
