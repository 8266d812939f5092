import type { Contestants } from '../contestant.js';

/** In the order in which they take turns, after ours. */
export const contestants: Contestants = {
  'graphile-worker': async () => (await import('./graphile-worker.js')).openGraphileWorker,
  'pg-boss': async () => (await import('./pg-boss.js')).openPgBoss,
  'BullMQ on Redis': async () => (await import('./bullmq.js')).openBullmqOnRedis,
  'BullMQ on Postgres': async () => (await import('./bullmq.js')).openBullmqOnPostgres,
};
