// What rest costs: one worker with nothing to do, whose statements are counted by pg_stat_statements once it has had time
// to fall asleep. One unit is a second. BEGIN and the like count too; statements inside functions do not.
import { setTimeout as pause } from 'node:timers/promises';
import { ActionManager, defineActor } from 'signalbox';
import { onServer, withBox } from '../box.js';
import type { Scenario } from '../scenario.js';
import { readStatements, resetStatements, tracked } from '../statements.js';
import { medianOf } from '../target.js';

const SCHEMA = 'bench_idle';
const WHAT = 'queries a second';
const QUERY_LENGTH = 60;
/** The pauses between two looks double from 0.3 s up to 15 s; by then the longest has begun. */
const FALLING_ASLEEP_MS = 20_000;

export const idle: Scenario = {
  name: 'idle',
  what: 'a worker with nothing to do: queries',
  unit: 'seconds',
  size: 60,
  quickSize: 15,
  rounds: 1,
  warmsUp: false,
  targets: [
    {
      what: WHAT,
      kind: 'at most',
      limit: 0.2,
      value: medianOf({ who: 'signalbox', what: WHAT }),
    },
  ],
  async round({ connectionString, size, record }) {
    const options = { connectionString: tracked(connectionString, 'top'), schema: SCHEMA };
    await withBox(options, async (box) => {
      await using manager = new ActionManager(box, defineActor('bench', { work: async () => {} }));
      await manager.start();
      await pause(FALLING_ASLEEP_MS);
      const statements = await onServer(connectionString, async (probe) => {
        await resetStatements(probe);
        await pause(1_000 * size);
        return await readStatements(probe);
      });
      const calls = statements.reduce((sum, statement) => sum + statement.calls, 0);
      record({ who: 'signalbox', what: WHAT, unit: '', value: calls / size });
      for (const statement of statements) {
        const who = statement.query.slice(0, QUERY_LENGTH).trim();
        record({ who, what: 'of them', unit: '', value: statement.calls });
      }
    });
  },
};
