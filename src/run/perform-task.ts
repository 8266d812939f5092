import { PermanentError } from '../errors.js';
import { InvalidValueError } from '../graph/graph-errors.js';
import type { MapDefinition, TaskDefinition } from '../graph/node-definition.js';
import { CONDITION_REASON, judge, type NodeOutcome } from '../graph/trigger.js';
import { validateValue } from '../graph/validate-value.js';
import type { ActorResult } from '../worker/actor.js';
import { below, INTERNAL, taskId } from './names.js';
import { ItemContext, NodeContext } from './node-context.js';
import { openSpawner } from './perform-spawn.js';
import { completed, follow, judgeNode, type Performing, refuse } from './performing.js';
import type { Work } from './plan.js';

type Of<Role extends Work['role']> = Performing<Extract<Work, { role: Role }>>;

export async function performTask(performing: Of<'task'>): Promise<ActorResult> {
  const { work, task, context } = performing;
  const { node } = work;
  const opened = openSpawner(performing, null);
  const spawner = opened instanceof Promise ? await opened : opened;
  const now = judgeNode(performing, node.edges);
  const judged = now instanceof Promise ? await now : now;
  if ('refusal' in judged) return judged.refusal;
  if (node.condition && !(await isWanted(node, judged))) {
    return { statusCode: 'skipped', status: CONDITION_REASON };
  }
  const value = await handlerOf(performing)(new NodeContext(judged, task, context, spawner));
  const output = node.output ? await outputOf(performing, value) : value;
  return completed(output, spawner ? await spawner.collect() : []);
}

/** An item runs if its map does: only of a zipped map is there more to judge, item by item. */
export async function performItem(performing: Of<'item'>): Promise<ActorResult> {
  const { work, task, context } = performing;
  const index = Number(task.id.slice(task.id.lastIndexOf('/') + 1));
  const [spawner, judged, item, gate] = await Promise.all([
    openSpawner(performing, index),
    judgeNode(performing, work.node.edges),
    itemOf(performing, index),
    gateOf(performing),
  ]);
  if ('refusal' in judged) return judged.refusal;
  if (gate && gate.statusCode !== 'completed') return follow(gate);
  if ('refusal' in item) return item.refusal;
  const place = { item: item.value, index };
  const value = await handlerOf(performing)(new ItemContext(judged, task, context, spawner, place));
  return completed(await outputOf(performing, value), await spawner?.collect());
}

export async function isWanted(
  node: TaskDefinition | MapDefinition,
  { input, deps }: { readonly input: unknown; readonly deps: Readonly<Record<string, unknown>> },
): Promise<boolean> {
  return node.condition === null || Boolean(await node.condition({ input, deps }));
}

/** The element is the item's body; of a map over a map, what the same item of that one came to. */
async function itemOf(
  { work, task, run, reader }: Of<'item'>,
  index: number,
): Promise<{ readonly value: unknown } | { readonly refusal: ActorResult }> {
  const { over } = work.zip;
  if (over === null) return { value: task.body ?? undefined };
  const id = taskId(run, `${over}/${index}`);
  const [ended] = await reader.outcomes([id]);
  const outcome = reader.outcomeOf('task', ended);
  const node = `${work.node.over.nodes[0]}/${index}`;
  const edge = { name: 'item', mode: 'required', isHidden: false, nodes: [node] } as const;
  const verdict = judge([edge], () => outcome);
  return verdict.run ? { value: verdict.deps.item } : { refusal: refuse(verdict) };
}

async function gateOf({ work, run, reader }: Of<'item'>): Promise<NodeOutcome | null> {
  if (!work.zip.hasGate) return null;
  const id = taskId(run, below(work.path, INTERNAL.gate));
  const [ended] = await reader.statuses([id]);
  return reader.outcomeOf('task', ended);
}

function handlerOf({ work, handlers }: Of<'task' | 'item'>): (context: unknown) => unknown {
  const { run, action } = work.node;
  const handler = run ?? (action === null ? undefined : handlers[action]);
  if (!handler) throw new PermanentError(`no handler for the action ${JSON.stringify(action)}`);
  // Its context is what the definition says: its types were checked where the node was added.
  return handler as (context: unknown) => unknown;
}

/** PermanentError, with every fault and its path: another try would come to the same. */
async function outputOf({ work }: Of<'task' | 'item'>, value: unknown): Promise<unknown> {
  const { output, id } = work.node;
  if (output === null) return value;
  try {
    return await validateValue(output, value, `output of node ${JSON.stringify(id)}`);
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    throw new PermanentError(error.message, { cause: error });
  }
}
