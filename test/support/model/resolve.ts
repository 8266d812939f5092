import type { HeldTask } from '../../../src/index.js';
import type { ClaimIntent, Intent, NodeIntent } from './intents.js';
import { isEnded, type ModelTask, placeOf, type TaskSpec } from './model-task.js';
import type { Claim, Step } from './step.js';
import type { TaskModel } from './task-model.js';

/** What commands know besides the model: the tokens ever given, and a number of their own. */
export interface World {
  readonly model: TaskModel;
  readonly everHeld: HeldTask[];
  numCommands: number;
  /** No total is given that is less. Above all signals that there may be, it does not matter which come first. */
  readonly minGivenTotal: number;
}

const LANES = [
  { queue: 'default', action: 'copy' },
  { queue: 'default', action: 'move' },
  { queue: 'other', action: 'copy' },
  { queue: 'other', action: 'move' },
] as const;

/** The verb that an intent stands for in the state that the model is in; null if there is nothing to do it to. */
export function resolve(intent: Intent, world: World, member: number): Step | null {
  const { model } = world;
  switch (intent.kind) {
    case 'insert':
      return {
        verb: 'insert',
        tasks: intent.nodes.map((node, i) =>
          toSpec(node, `${world.numCommands}.${member}`, i, intent.nodes.length, world),
        ),
      };
    case 'return':
      return resolveReturn(intent, world);
    case 'extend': {
      const held = pickAll(intent.stale ? staleTokens(world) : heldTokens(world), intent.picks);
      return held && { verb: 'extend', held, durationMs: intent.durationMs };
    }
    case 'begin': {
      const held = pickAll(intent.stale ? staleTokens(world) : heldTokens(world), intent.picks);
      return held && { verb: 'begin', held };
    }
    case 'update':
      return resolveUpdate(intent, model);
    case 'timers':
      return { verb: 'timers' };
    case 'signal': {
      const ids = pickAll(
        idsOf(model, ({ spec }) => spec.givenTotal !== null),
        intent.picks,
      );
      return ids && { verb: 'signal', ids, failed: intent.failed };
    }
    case 'rerun': {
      const ids = pickAll(
        idsOf(model, (task) => !intent.ended || isEnded(task)),
        intent.picks,
      );
      const startAfterMs = intent.inMs === null ? null : model.nowMs + intent.inMs;
      return ids && { verb: 'rerun', ids, downstream: intent.downstream, startAfterMs };
    }
    case 'cancel': {
      const ids = pickAll(idsOf(model), intent.picks);
      return ids && { verb: 'cancel', ids, downstream: intent.downstream };
    }
    case 'delete': {
      const ids = pickAll(idsOf(model), intent.picks);
      return ids && { verb: 'delete', ids, sparesOwned: intent.sparesOwned };
    }
  }
}

export function resolveClaim(intent: ClaimIntent, actor: number): Claim {
  const lanes = LANES.filter((_, i) => (intent.lanes & (1 << i)) !== 0);
  return {
    actorId: `actor ${actor}`,
    queues: lanes.map(({ queue }) => queue),
    actions: lanes.map(({ action }) => action),
    maxTasks: intent.maxTasks,
    durationMs: intent.durationMs,
    numBegun: intent.numBegun,
  };
}

function resolveReturn(intent: Intent & { kind: 'return' }, world: World): Step | null {
  const { nowMs } = world.model;
  const returns = intent.picks.flatMap(({ pick, code, inMs, retryMs, isDeleted, stale }) => {
    const [held] = pickAll(stale ? staleTokens(world) : heldTokens(world), [pick]) ?? [];
    const startAfterMs = code === 'pending' && inMs !== null ? nowMs + inMs : null;
    const retryDelayMs = code === 'pending' ? retryMs : null;
    return held ? [{ ...held, code, startAfterMs, retryDelayMs, isDeleted }] : [];
  });
  // An id may occur only once.
  const byId = new Map(returns.map((one) => [one.id, one]));
  return byId.size === 0 ? null : { verb: 'return', returns: [...byId.values()] };
}

function resolveUpdate(intent: Intent & { kind: 'update' }, model: TaskModel): Step | null {
  const candidates = idsOf(model, ({ statusCode }) => !intent.pending || statusCode === 'pending');
  const updates = intent.picks.flatMap(({ pick, priority, inMs }) => {
    const startAfterMs = typeof inMs === 'number' ? model.nowMs + inMs : null;
    const start = inMs === 'stays' ? {} : { startAfterMs };
    const [id] = pickAll(candidates, [pick]) ?? [];
    return id === undefined ? [] : [{ id, priority, ...start }];
  });
  const byId = new Map(updates.map((one) => [one.id, one]));
  return byId.size === 0 ? null : { verb: 'update', updates: [...byId.values()] };
}

function toSpec(
  node: NodeIntent,
  batch: string,
  position: number,
  batchSize: number,
  { model, minGivenTotal }: World,
): TaskSpec {
  const { edges, outside, startInMs, ...fixed } = node;
  const later = Array.from({ length: batchSize - position - 1 }, (_, i) => i);
  const inside = later.filter((i) => (edges & (1 << i)) !== 0);
  return {
    ...fixed,
    givenTotal: fixed.givenTotal === null ? null : Math.max(fixed.givenTotal, minGivenTotal),
    id: `${batch}/${position}`,
    targets: [
      ...inside.map((i) => `${batch}/${position + 1 + i}`),
      ...outsideTargets(outside, model),
    ],
    startAfterMs: startInMs === null ? null : model.nowMs + startInMs,
  };
}

function outsideTargets(outside: NodeIntent['outside'], model: TaskModel): string[] {
  if (outside === null) return [];
  if (outside.of === 'none') return ['no such task'];
  const candidates = idsOf(model, (task) => outside.of === 'all' || placeOf(task) === 'waiting');
  return pickAll(candidates, [outside.pick]) ?? [];
}

function idsOf(model: TaskModel, isWanted: (task: ModelTask) => boolean = () => true): string[] {
  return [...model.tasks.values()].filter(isWanted).map(({ spec }) => spec.id);
}

function heldTokens({ model }: World): HeldTask[] {
  return [...model.tasks.values()].flatMap(({ spec, token }) =>
    token === null ? [] : [{ id: spec.id, token }],
  );
}

function staleTokens({ model, everHeld }: World): HeldTask[] {
  return everHeld.filter(({ id, token }) => model.tasks.get(id)?.token !== token);
}

/** Each once; null if there is nothing to pick from. */
function pickAll<T>(candidates: readonly T[], picks: readonly number[]): T[] | null {
  if (candidates.length === 0) return null;
  const picked = new Set(picks.flatMap((pick) => candidates[pick % candidates.length] ?? []));
  return [...picked];
}
