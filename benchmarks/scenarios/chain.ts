// Latency of one dependency: tasks in a row, each waiting for the one before, so that nothing can be done in batches. One
// unit is a hop: from the start of one handler to the start of the next, with the return, the signal and the claim between.
import { atMostMs, recordLatencies } from '../latency.js';
import type { Scenario } from '../scenario.js';
import { chain as workload } from '../workloads/chain.js';

export const chain: Scenario = {
  name: 'chain',
  what: 'perform tasks one after another: time of a hop',
  unit: 'tasks',
  size: 10_000,
  quickSize: 500,
  warmsUp: true,
  compares: true,
  workload,
  targets: [atMostMs(3, 'p50'), atMostMs(15, 'p99')],
  async round({ contestants, size, record }) {
    for (const contestant of contestants) {
      if (!(contestant.takes?.('chain') ?? true)) continue;
      const startedAt: number[] = [];
      const length = Math.min(size, contestant.longestChain ?? size);
      await contestant.run(
        () => workload(length),
        length,
        () => startedAt.push(performance.now()),
      );
      const hops = startedAt.slice(1).map((at, i) => at - (startedAt[i] ?? at));
      const note = contestant.differs?.('chain');
      recordLatencies(record, { who: contestant.name, values: hops, note });
    }
  },
};
