// Throughput of many small graphs: one task, eight that wait for it, one that waits for the eight; one process, an
// empty handler. One unit is a task, ten make a graph; the insert is not counted.
import { comparison } from '../comparison.js';
import { timesAsFast } from '../peer-targets.js';

export const diamonds = comparison({
  name: 'diamonds',
  what: 'perform graphs 1-8-1',
  size: 100_000,
  quickSize: 10_000,
  workload: 'diamonds',
  part: 'perform',
  targets: [timesAsFast(20, 'pg-boss'), timesAsFast(3.5, 'BullMQ on Redis')],
});
