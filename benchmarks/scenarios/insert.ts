// Inserting: tasks as diamonds 1-8-1 with their edges, all checks on, from the first task given to the last one
// accepted. One unit is a row; of ours all go in one call and one transaction.
import { comparison, RATE } from '../comparison.js';
import { timesAsFast } from '../peer-targets.js';
import { medianOf } from '../target.js';

export const insert = comparison({
  name: 'insert',
  what: 'insert tasks with their edges, all checks on',
  size: 100_000,
  quickSize: 10_000,
  workload: 'diamonds',
  part: 'insert',
  targets: [
    timesAsFast(1.5, 'graphile-worker'),
    {
      what: 'rows a second, on 2 cores',
      kind: 'at least',
      limit: 100_000,
      value: medianOf({ who: 'signalbox', what: RATE }),
    },
  ],
});
