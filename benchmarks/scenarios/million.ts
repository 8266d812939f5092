// Endurance: 1,000,000 tasks of diamonds by one process, a tenth at a time, while all that has ended stays in the tables.
// One unit is a task; the last tenth is held against the first. The client's memory is sampled every 50 ms.
import type { Scenario } from '../scenario.js';
import { medianOf } from '../target.js';
import { lastTenthAtLeast, measureTenths } from '../tenths.js';

export const million: Scenario = {
  name: 'million',
  what: 'perform graphs 1-8-1 for long: the rate of each tenth',
  unit: 'tasks',
  size: 1_000_000,
  quickSize: 50_000,
  rounds: 1,
  warmsUp: false,
  targets: [
    lastTenthAtLeast(0.8),
    {
      what: 'peak memory of the client in MB',
      kind: 'at most',
      limit: 300,
      value: medianOf({ who: 'signalbox', what: 'peak memory of the client' }),
    },
  ],
  round: measureTenths,
};
