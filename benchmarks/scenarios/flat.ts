// Throughput without a graph: independent tasks with an empty handler, performed by one process. One unit is a
// task, from before the worker starts to the last return recorded; the insert before it is not counted.
import { comparison } from '../comparison.js';
import { timesAsFast } from '../peer-targets.js';

export const flat = comparison({
  name: 'flat',
  what: 'perform independent tasks',
  size: 100_000,
  quickSize: 10_000,
  workload: 'flat',
  part: 'perform',
  targets: [
    timesAsFast(2.5, 'graphile-worker'),
    timesAsFast(6, 'pg-boss'),
    timesAsFast(5, 'BullMQ on Redis'),
  ],
});
