import { type Costs, measureCosts } from './costs.js';
import type { Figure } from './figure.js';
import { toVerdictLine } from './report.js';
import { judge, medianOf, type Target } from './target.js';

const SIZE = 20_000;

/** A tenth above what was measured on Postgres 18: the figures behind them are printed at every run. */
const BUDGETS = {
  walBytes: { what: 'WAL bytes a task', kind: 'at most', limit: 1_200 },
  statements: { what: 'statements a task', kind: 'at most', limit: 0.006 },
  transactions: { what: 'transactions a task', kind: 'at most', limit: 0.006 },
  updates: { what: 'updates a task', kind: 'at most', limit: 3.2 },
  hotShare: { what: 'HOT share of the updates', kind: 'at least', limit: 0.99 },
  deadTuples: { what: 'dead tuples a task', kind: 'at most', limit: 3.2 },
  rowsParsed: { what: 'rows parsed a task', kind: 'at most', limit: 1.1 },
} as const satisfies Record<keyof Costs, Omit<Target, 'value'>>;

/** What a task may cost. */
export const budgets: readonly Target[] = Object.values(BUDGETS).map((budget) => ({
  ...budget,
  value: medianOf({ who: 'signalbox', what: budget.what }),
}));

/** The name of each cost, as budgets and figures have it. */
export function costsByName(costs: Costs): [what: string, value: number][] {
  return [
    [BUDGETS.walBytes.what, costs.walBytes],
    [BUDGETS.statements.what, costs.statements],
    [BUDGETS.transactions.what, costs.transactions],
    [BUDGETS.updates.what, costs.updates],
    [BUDGETS.hotShare.what, costs.hotShare],
    [BUDGETS.deadTuples.what, costs.deadTuples],
    [BUDGETS.rowsParsed.what, costs.rowsParsed],
  ];
}

/** Runs diamonds of 20,000 tasks and compares what they cost with the budgets. Resolves with whether all hold. */
export async function checkBudgets(connectionString: string): Promise<boolean> {
  const costs = await measureCosts(connectionString, SIZE);
  const figures = costsByName(costs).map(([what, value]): Figure => {
    const spread = { rounds: [value], median: value, min: value, max: value };
    return { who: 'signalbox', what, unit: '', ...spread };
  });
  const verdicts = budgets.map((budget) => judge(budget, figures));
  for (const verdict of verdicts) console.log(toVerdictLine(verdict));
  return verdicts.every(({ reached }) => reached === true);
}
