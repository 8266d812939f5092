import type { OpenContestant } from '../contestant.js';
import { openBullmqOnPostgres, openBullmqOnRedis } from './bullmq.js';
import { openGraphileWorker } from './graphile-worker.js';
import { openPgBoss } from './pg-boss.js';

export const peers: readonly OpenContestant[] = [
  openGraphileWorker,
  openPgBoss,
  openBullmqOnRedis,
  openBullmqOnPostgres,
];
