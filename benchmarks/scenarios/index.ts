import type { Scenario } from '../scenario.js';
import { backlog } from './backlog.js';
import { chain } from './chain.js';
import { cost } from './cost.js';
import { diamonds } from './diamonds.js';
import { fanIn } from './fan-in.js';
import { fanOut } from './fan-out.js';
import { flat } from './flat.js';
import { idle } from './idle.js';
import { insert } from './insert.js';
import { layered } from './layered.js';
import { million } from './million.js';
import { oldSnapshot } from './old-snapshot.js';
import { processes } from './processes.js';
import { tenMillion } from './ten-million.js';
import { waiters } from './waiters.js';
import { wake } from './wake.js';

/** In the order in which a run takes them. */
export const scenarios: readonly Scenario[] = [
  insert,
  flat,
  diamonds,
  layered,
  fanIn,
  fanOut,
  chain,
  wake,
  waiters,
  idle,
  cost,
  processes,
  million,
  oldSnapshot,
  backlog,
  tenMillion,
];
