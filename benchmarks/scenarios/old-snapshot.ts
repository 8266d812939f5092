// Endurance under an old snapshot: as `million`, with a transaction open on the server since before, such as a forgotten
// session or a long report. Nothing that dies meanwhile can be vacuumed, so ready, which lives on it, fills with dead rows.
// One unit is a task; the last tenth is held against the first.
import { onServer } from '../box.js';
import type { Scenario } from '../scenario.js';
import { lastTenthAtLeast, measureTenths } from '../tenths.js';

export const oldSnapshot: Scenario = {
  name: 'old-snapshot',
  what: 'as million, with a transaction open since before',
  unit: 'tasks',
  size: 1_000_000,
  quickSize: 100_000,
  rounds: 1,
  warmsUp: false,
  targets: [lastTenthAtLeast(0.7)],
  round: (setting) =>
    onServer(setting.connectionString, async (client) => {
      await client.query('begin isolation level repeatable read');
      await client.query('select 1'); // the snapshot is taken by the first statement, and kept
      await measureTenths(setting);
      await client.query('rollback');
    }),
};
