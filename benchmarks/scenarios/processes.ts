// Many workers on one server: sixteen processes with two connections each besides the one that listens, against one
// process with ten, in turns, over the same diamonds. One unit is a task, until its return is committed. How much more
// sixteen do depends on the cores; that they do not hold one another up must not, so deadlocks are counted.
import { countDeadlocks } from '../deadlocks.js';
import { fleetRate } from '../fleet-rate.js';
import type { Scenario } from '../scenario.js';
import { medianOf, ratioOf } from '../target.js';

const FLEETS = [
  { who: '1 process', processes: 1, connections: 10 },
  { who: '16 processes', processes: 16, connections: 2 },
];

export const processes: Scenario = {
  name: 'processes',
  what: 'perform graphs 1-8-1 by 16 processes and 32 connections against one process',
  unit: 'tasks',
  size: 200_000,
  quickSize: 10_000,
  warmsUp: true,
  targets: [
    {
      what: 'rate of 16 processes against 1',
      kind: 'at least',
      limit: 0.8,
      value: ratioOf({ who: '16 processes', what: 'rate' }, { who: '1 process', what: 'rate' }),
    },
    {
      what: 'deadlocks',
      kind: 'at most',
      limit: 0,
      value: medianOf({ who: 'signalbox', what: 'deadlocks' }),
    },
  ],
  async round({ connectionString, size, record }) {
    const deadlocks = await countDeadlocks(connectionString, async () => {
      for (const { who, ...fleet } of FLEETS) {
        const value = await fleetRate({ ...fleet, connectionString, size, workload: 'diamonds' });
        record({ who, what: 'rate', unit: 'tasks/s', value });
      }
    });
    record(deadlocks);
  },
};
