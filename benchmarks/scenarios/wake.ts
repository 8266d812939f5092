// Latency from rest: a worker that has found nothing and sleeps, and one task inserted. One unit is a wake-up: from the
// call of insert to the handler, so the insert's commit is part of it. Worker and inserter share a process and a clock.
import { atMostMs, recordLatencies } from '../latency.js';
import type { Scenario } from '../scenario.js';

export const wake: Scenario = {
  name: 'wake',
  what: 'insert one task into an idle system: time to its handler',
  unit: 'wake-ups',
  size: 300,
  quickSize: 50,
  warmsUp: false,
  compares: true,
  targets: [atMostMs(5, 'p50')],
  async round({ contestants, size, record }) {
    for (const contestant of contestants) {
      const values = await contestant.wake(size);
      if (values) recordLatencies(record, { who: contestant.entry.name, values });
    }
  },
};
