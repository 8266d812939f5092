// Claiming from full tables: as many blocked, delayed and finished tasks as `size` says, of each, and ready ones beside
// them. One unit is a task owned, in batches of 500, one call at a time; held against an empty database, in turns.
import type { Signalbox, TaskInput } from 'signalbox';
import { withBox } from '../box.js';
import { compareClaims, fullAgainstEmpty } from '../claim-rates.js';
import { addFinishedTasks } from '../finished-tasks.js';
import type { Scenario } from '../scenario.js';
import { BODY } from '../workloads/body.js';

const READY = 50_000;
const DAY_MS = 86_400_000;

export const backlog: Scenario = {
  name: 'backlog',
  what: 'claim from tables with so many blocked, delayed and finished tasks of each',
  unit: 'tasks of each kind',
  size: 1_000_000,
  quickSize: 50_000,
  rounds: 1,
  warmsUp: false,
  targets: [
    {
      what: 'claim rate against an empty database',
      kind: 'at least',
      limit: 0.7,
      value: fullAgainstEmpty('claim rate'),
    },
  ],
  async round(setting) {
    const { connectionString, size } = setting;
    const full = { connectionString, schema: 'bench_full' };
    await withBox(full, async (box) => {
      await fill(box, size);
      await addFinishedTasks(full, size);
      await compareClaims(box, setting, READY);
    });
  },
};

/** Blocked tasks wait for a signal from outside, delayed ones for tomorrow. */
async function fill(box: Signalbox, count: number): Promise<void> {
  const startAfter = new Date(Date.now() + DAY_MS);
  await box.insertTasks(similar(count, 'blocked', { totalDependencies: 1 }));
  await box.insertTasks(similar(count, 'delayed', { startAfter }));
}

function* similar(
  count: number,
  prefix: string,
  rest: Omit<TaskInput, 'id' | 'action'>,
): Generator<TaskInput> {
  for (let i = 0; i < count; i++) {
    yield { id: `${prefix}/${i}`, action: 'work', body: BODY, ...rest };
  }
}
