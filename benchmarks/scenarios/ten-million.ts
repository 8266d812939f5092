// What history costs: as many finished tasks in the tables as `size` says. Inserting and claiming are held against an empty
// database, in turns; then cleaning runs, and its rate is measured with and without a worker beside it, and the
// worker's with and without cleaning. One unit is a task. It takes long and much disk, so it must be named.
import type { Signalbox } from 'signalbox';
import { withBox } from '../box.js';
import { compareClaims, fullAgainstEmpty } from '../claim-rates.js';
import { performAll } from '../contestants/signalbox.js';
import { addFinishedTasks } from '../finished-tasks.js';
import type { Scenario, Setting } from '../scenario.js';
import { timed } from '../span.js';
import { medianOf, ratioOf } from '../target.js';
import { flat } from '../workloads/flat.js';

const READY = 50_000;
/** Of the finished tasks so many are cleaned without a worker beside it. */
const SHARE_CLEANED_ALONE = 0.05;
const CLEANABLE = { minAgeMs: 0, idPrefix: 'finished/' };

export const tenMillion: Scenario = {
  name: 'ten-million',
  what: 'insert, claim and clean with so many finished tasks in the tables',
  unit: 'finished tasks',
  size: 10_000_000,
  quickSize: 200_000,
  rounds: 1,
  warmsUp: false,
  onlyByName: true,
  targets: [
    ...['insert rate', 'claim rate'].map((what) => ({
      what: `${what} against empty tables`,
      kind: 'at least' as const,
      limit: 0.7,
      value: fullAgainstEmpty(what),
    })),
    {
      what: 'tasks cleaned a second',
      kind: 'at least',
      limit: 50_000,
      value: medianOf({ who: 'alone', what: 'cleaning rate' }),
    },
    {
      what: 'rate of a worker beside cleaning against alone',
      kind: 'at least',
      limit: 0.8,
      value: ratioOf(
        { who: 'beside cleaning', what: 'rate of a worker' },
        { who: 'alone', what: 'rate of a worker' },
      ),
    },
  ],
  async round(setting) {
    const { connectionString, size } = setting;
    const full = { connectionString, schema: 'bench_full' };
    await withBox(full, async (box) => {
      await addFinishedTasks(full, size);
      await compareClaims(box, setting, READY);
      await cleanAlone(box, setting);
      await cleanBesideWorker(box, setting);
    });
  },
};

async function cleanAlone(box: Signalbox, { size, record }: Setting): Promise<void> {
  const value = await rateOfCleaning(box, (deleted) => deleted >= size * SHARE_CLEANED_ALONE);
  record({ who: 'alone', what: 'cleaning rate', unit: 'tasks/s', value });
}

/** The worker alone, then with cleaning going on until it is done. */
async function cleanBesideWorker(box: Signalbox, { record }: Setting): Promise<void> {
  await box.insertTasks(flat(READY, 'alone'));
  const aloneMs = await timed(() => performAll(box, READY));
  await box.insertTasks(flat(READY, 'beside'));
  let isPerformed = false;
  const cleaning = rateOfCleaning(box, () => isPerformed);
  const besideMs = await timed(() => performAll(box, READY));
  isPerformed = true;
  const worker = { what: 'rate of a worker', unit: 'tasks/s' };
  record({ ...worker, who: 'alone', value: (1_000 * READY) / aloneMs });
  record({ ...worker, who: 'beside cleaning', value: (1_000 * READY) / besideMs });
  const value = await cleaning;
  record({ who: 'beside a worker', what: 'cleaning rate', unit: 'tasks/s', value });
}

/** Tasks deleted a second, until `isEnough` of them or none are left. */
async function rateOfCleaning(
  box: Signalbox,
  isEnough: (deleted: number) => boolean,
): Promise<number> {
  const stop = new AbortController();
  let deleted = 0;
  const elapsedMs = await timed(async () => {
    const onProgress = (numDeleted: number) => {
      deleted = numDeleted;
      if (isEnough(deleted)) stop.abort();
    };
    const cleaning = box.cleanTasks({ ...CLEANABLE, signal: stop.signal, onProgress });
    await cleaning.catch((error) => {
      if (!stop.signal.aborted) throw error; // else it is we who stopped it
    });
  });
  return (1_000 * deleted) / elapsedMs;
}
