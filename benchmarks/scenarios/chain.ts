// Latency of one dependency: tasks in a row, each waiting for the one before, so that nothing can be done in batches. One
// unit is a hop: from the start of one handler to the start of the next, with the return, the signal and the claim between.
import { atMostMs, recordLatencies } from '../latency.js';
import type { Scenario } from '../scenario.js';

export const chain: Scenario = {
  name: 'chain',
  what: 'perform tasks one after another: time of a hop',
  unit: 'tasks',
  size: 10_000,
  quickSize: 500,
  warmsUp: true,
  compares: true,
  workload: 'chain',
  targets: [atMostMs(3, 'p50'), atMostMs(15, 'p99')],
  async round({ contestants, size, record }) {
    for (const contestant of contestants) {
      if (!contestant.takes('chain')) continue;
      const { name: who, differences } = contestant.entry;
      const values = await contestant.measureHops(size);
      recordLatencies(record, { who, values, note: differences?.chain });
    }
  },
};
