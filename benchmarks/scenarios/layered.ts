// Throughput of one wide graph: twenty layers, each task with three parents in the layer above, chosen by a seeded
// generator; one process, an empty handler. One unit is a task. Held against as many flat tasks in the same round,
// so that the ratio is what edges cost.
import { comparison, FLAT_RATE, RATE } from '../comparison.js';
import { ratioOf } from '../target.js';

export const layered = comparison({
  name: 'layered',
  what: 'perform 20 layers, each task with 3 parents',
  size: 100_000,
  quickSize: 10_000,
  workload: 'layered',
  part: 'perform',
  besideFlat: true,
  targets: [
    {
      what: 'time of a task against a flat one',
      kind: 'at most',
      limit: 2,
      value: ratioOf({ who: 'signalbox', what: FLAT_RATE }, { who: 'signalbox', what: RATE }),
    },
  ],
});
