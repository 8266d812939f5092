import { type ModelTask, placeOf } from './model-task.js';
import type { Claim, Claimed } from './step.js';
import type { TaskModel } from './task-model.js';

/** What was wrong with what a claim gave; nothing: it kept the rules. */
export function faultsOfClaim(
  model: TaskModel,
  claim: Claim,
  claimed: readonly Claimed[],
): string[] {
  const open = claimable(model, claim);
  const taken = open.filter(({ spec }) => claimed.some(({ id }) => id === spec.id));
  const faults = faultsOfRows(model, claim, claimed, taken);
  if (claimed.length !== Math.min(claim.maxTasks, open.length)) {
    faults.push(`gave ${claimed.length} of ${open.length}, asked for ${claim.maxTasks}`);
  }
  const left = open.filter((task) => !taken.includes(task));
  return [...faults, ...faultsOfOrder(taken, left), ...faultsOfShares(claim, taken, left)];
}

/**
 * The same for one of several claims made together: each may find rows locked that another gives back no later
 * than it ends, so that it comes back short or takes tasks that are not the first.
 */
export function faultsOfClaimAmongOthers(
  model: TaskModel,
  claim: Claim,
  claimed: readonly Claimed[],
): string[] {
  const open = claimable(model, claim);
  const taken = open.filter(({ spec }) => claimed.some(({ id }) => id === spec.id));
  const faults = faultsOfRows(model, claim, claimed, taken);
  if (claimed.length > claim.maxTasks) faults.push(`gave ${claimed.length}`);
  return faults;
}

function claimable(model: TaskModel, { queues, actions }: Claim): ModelTask[] {
  const lanes = new Set(queues.map((queue, i) => `${queue} ${actions[i]}`));
  return [...model.tasks.values()].filter(
    (task) => placeOf(task) === 'ready' && lanes.has(laneOf(task)),
  );
}

function laneOf({ spec }: ModelTask): string {
  return `${spec.queue} ${spec.action}`;
}

function faultsOfRows(
  model: TaskModel,
  claim: Claim,
  claimed: readonly Claimed[],
  taken: readonly ModelTask[],
): string[] {
  const faults: string[] = [];
  if (taken.length !== claimed.length) {
    faults.push(`gave ${claimed.map(({ id }) => id)}, of which only ${taken.length} were open`);
  }
  for (const [i, { id, isBegun }] of claimed.entries()) {
    if (isBegun !== i < (claim.numBegun ?? claimed.length)) faults.push(`${id} begun: ${isBegun}`);
  }
  for (const task of taken) {
    const durationMs = task.spec.maxDurationMs ?? claim.durationMs;
    const expected = {
      id: task.spec.id,
      numTries: task.numTries + 1,
      numFailures: task.numFailures,
      deadlineMs: durationMs === null ? null : model.nowMs + durationMs,
    };
    const { token: _, isBegun: __, ...actual } = claimed.find(({ id }) => id === expected.id) ?? {};
    if (JSON.stringify(actual) !== JSON.stringify(expected)) {
      faults.push(`gave ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
    }
  }
  return faults;
}

/** Highest priority first, whatever the lane; within a lane in the order of becoming ready. */
function faultsOfOrder(taken: readonly ModelTask[], left: readonly ModelTask[]): string[] {
  return taken.flatMap((task) => {
    const before = left.find(
      (other) =>
        other.spec.priority > task.spec.priority ||
        (other.spec.priority === task.spec.priority &&
          laneOf(other) === laneOf(task) &&
          other.readyStep < task.readyStep),
    );
    return before ? [`took ${task.spec.id} before ${before.spec.id}`] : [];
  });
}

/** Lanes that hold tasks of one priority share equally: none gets more while another has less than its share. */
function faultsOfShares(
  { maxTasks }: Claim,
  taken: readonly ModelTask[],
  left: readonly ModelTask[],
): string[] {
  const level = Math.max(...left.map(({ spec }) => spec.priority));
  const atLevel = taken.filter(({ spec }) => spec.priority === level);
  const waiting = left.filter(({ spec }) => spec.priority === level);
  const lanes = new Set([...atLevel, ...waiting].map(laneOf));
  const higher = taken.filter(({ spec }) => spec.priority > level).length;
  const share = Math.ceil((maxTasks - higher) / lanes.size);
  const countIn = (tasks: readonly ModelTask[], lane: string) =>
    tasks.filter((task) => laneOf(task) === lane).length;
  const isGreedy = [...lanes].some((lane) => countIn(atLevel, lane) > share);
  const starved = [...lanes].find(
    (lane) => countIn(atLevel, lane) < share && countIn(waiting, lane) > 0,
  );
  return isGreedy && starved !== undefined ? [`lane ${starved} got less than its ${share}`] : [];
}
