import { expectedRecords } from './records.js';
import type { Step } from './step.js';
import type { TaskModel } from './task-model.js';

/** Whether verbs come to the same, state and answers, in whatever order the model runs them. */
export function isOrderIrrelevant(model: TaskModel, steps: readonly Step[]): boolean {
  const outcomes = new Set<string>();
  for (const order of permutations(steps)) {
    outcomes.add(outcomeOf(model.clone(), steps, order));
    if (outcomes.size > 1) return false;
  }
  return true;
}

function outcomeOf(model: TaskModel, steps: readonly Step[], order: readonly Step[]): string {
  const answers = model.apply([...order, { verb: 'timers' }]);
  return JSON.stringify([
    steps.map((step) => answers[order.indexOf(step)]),
    expectedRecords(model),
    // Records do not show it of tasks that wait for signals, and yet it decides what becomes of them.
    [...model.tasks.values()].map(({ spec, dueMs }) => `${spec.id} ${dueMs}`).sort(),
  ]);
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) =>
    permutations(items.filter((_, other) => other !== i)).map((rest) => [item, ...rest]),
  );
}
