// What a task costs whatever the machine's speed: WAL, statements, transactions, updates and how many of them are HOT, dead
// tuples left without autovacuum, and rows that Node has to parse. One unit is a task of a diamond, from insert to the
// end of its return. `--budgets` checks the same costs, and CI does with every change.
import { budgets, costsByName } from '../budgets.js';
import { measureCosts } from '../costs.js';
import type { Scenario } from '../scenario.js';

export const cost: Scenario = {
  name: 'cost',
  what: 'costs of one task of a graph 1-8-1',
  unit: 'tasks',
  size: 100_000,
  quickSize: 20_000,
  rounds: 1,
  warmsUp: false,
  targets: budgets,
  async round({ connectionString, size, record }) {
    const costs = await measureCosts(connectionString, size);
    for (const [what, value] of costsByName(costs)) {
      record({ who: 'signalbox', what, unit: '', value });
    }
  },
};
