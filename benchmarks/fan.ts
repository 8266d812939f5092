import { comparison, FLAT_RATE, RATE } from './comparison.js';
import { countDeadlocks } from './deadlocks.js';
import { fleetRate } from './fleet-rate.js';
import type { Scenario, Setting } from './scenario.js';
import { medianOf, ratioOf, type Target } from './target.js';

const PROCESSES = 16;
const TOGETHER = `signalbox, ${PROCESSES} processes`;

interface Fan {
  /** Its workload's too. */
  readonly name: 'fan-in' | 'fan-out';
  readonly what: string;
}

/** A fan by one process of every contestant, then by sixteen of ours, each held against as many flat tasks. */
export function fan({ name, what }: Fan): Scenario {
  return comparison({
    name,
    what,
    size: 100_000,
    quickSize: 10_000,
    workload: name,
    part: 'perform',
    besideFlat: true,
    afterwards: (setting) => performTogether(name, setting),
    targets: [
      besideFlat('signalbox', 'time of a task against a flat one, 1 process'),
      besideFlat(TOGETHER, `time of a task against a flat one, ${PROCESSES} processes`),
      {
        what: `deadlocks among ${PROCESSES} processes`,
        kind: 'at most',
        limit: 0,
        value: medianOf({ who: 'signalbox', what: 'deadlocks' }),
      },
    ],
  });
}

async function performTogether(name: Fan['name'], setting: Setting): Promise<void> {
  const { connectionString, size, record } = setting;
  const fleet = { connectionString, processes: PROCESSES, connections: 2, size };
  const deadlocks = await countDeadlocks(connectionString, async () => {
    const value = await fleetRate({ ...fleet, workload: name });
    record({ who: TOGETHER, what: RATE, unit: 'tasks/s', value });
  });
  record(deadlocks);
  const value = await fleetRate({ ...fleet, workload: 'flat' });
  record({ who: TOGETHER, what: FLAT_RATE, unit: 'tasks/s', value });
}

function besideFlat(who: string, what: string): Target {
  const value = ratioOf({ who, what: FLAT_RATE }, { who, what: RATE });
  return { what, kind: 'at most', limit: 1.5, value };
}
