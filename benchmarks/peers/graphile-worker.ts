import { Logger, makeWorkerUtils, type Runner, run } from 'graphile-worker';
import pg from 'pg';
import type { Contestant, OnTask, Workload } from '../contestant.js';
import { measure, type Span } from '../span.js';
import { WakeUps } from '../wake-ups.js';
import { BODY } from '../workloads/body.js';
import { countTo, expectNoneLeft, inBatches, inParallel, labelOf } from './workload.js';

/*
 * graphile-worker with the configuration of its performance page ("Quick stats"), in one process: 24 concurrent
 * jobs over a pool of 25, a local queue of 500 so that one statement fetches 500 jobs, and completions that wait
 * for nothing but are sent in batches while others are on their way (delay 0; 25 and 250, the page's other
 * values, only lengthen the end of a run). Jobs go in by addJobs() in batches, two on their way at a time, so
 * that the client prepares one while the server inserts the other. No job has a queue name, a job key or a
 * future start, all of which would cost more. Jobs are deleted when completed, as graphile-worker does.
 *
 * Between the insert and the work, untimed, the tables are analyzed, as autovacuum would have done in production:
 * some of its plans need the statistics. (60,000 jobs ran about 1.7 times as fast while ANALYZE ran every second.)
 *
 * It has no dependencies between jobs. So it takes no graphs, and inserts the tasks of diamonds without edges.
 * The time ends when runner.stop() has resolved: that flushes the last batch of completions.
 *
 * Wake-ups are measured with the same configuration, as its page does for the latencies it states, and jobs go in by
 * addJob(): workers are told by NOTIFY at its commit, so pollInterval does not matter.
 */

const SCHEMA = 'bench_graphile_worker';
const BATCH_SIZE = 5_000;
const BATCHES_AT_A_TIME = 2;
const LABEL = labelOf('graphile-worker');
const GRAPHS = ['diamonds', 'layered', 'fan-in', 'fan-out', 'chain'];

const silent = new Logger(() => () => {});
const preset = {
  worker: {
    schema: SCHEMA,
    concurrentJobs: 24,
    maxPoolSize: 25,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  },
};

export async function openGraphileWorker(connectionString: string): Promise<Contestant> {
  const pgPool = new pg.Pool({ connectionString, max: preset.worker.maxPoolSize });
  pgPool.on('error', () => {});
  pgPool.on('connect', (client) => client.on('error', () => {}));
  const drop = () => pgPool.query(`drop schema if exists ${SCHEMA} cascade`);
  return {
    name: LABEL,
    cannot: GRAPHS,
    differences: { insert: 'tasks without edges' },
    async run(workload, size, onTask) {
      await drop();
      const insertSpan = await insert(pgPool, workload);
      await pgPool.query('analyze');
      const performSpan = await measure(() => performAll(pgPool, size, onTask));
      const { rows } = await pgPool.query(`select count(*)::integer as left from ${SCHEMA}.jobs`);
      expectNoneLeft(LABEL, rows[0].left);
      return { insert: insertSpan, perform: performSpan };
    },
    async wake(count) {
      await drop();
      return await measureWakeUps(pgPool, count);
    },
    async close() {
      await drop();
      await pgPool.end();
    },
  };
}

/** The schema is there before. */
async function insert(pgPool: pg.Pool, workload: Workload): Promise<Span> {
  const utils = await makeWorkerUtils({ pgPool, preset, logger: silent });
  try {
    await utils.migrate();
    return await measure(() =>
      inParallel(inBatches(workload(), BATCH_SIZE), BATCHES_AT_A_TIME, (batch) =>
        utils.addJobs(batch.map(({ body }) => ({ identifier: 'work', payload: body }))),
      ),
    );
  } finally {
    await utils.release();
  }
}

async function performAll(pgPool: pg.Pool, size: number, onTask: OnTask = () => {}): Promise<void> {
  const performed = countTo(size);
  const runner = await startRunner(pgPool, async () => {
    onTask();
    performed.add(1);
  });
  runner.promise.catch(performed.fail);
  try {
    await performed.reached;
  } finally {
    await runner.stop();
  }
}

async function measureWakeUps(pgPool: pg.Pool, count: number): Promise<number[]> {
  const wakeUps = new WakeUps();
  const runner = await startRunner(pgPool, async () => wakeUps.woken());
  try {
    return await wakeUps.measure(count, () => runner.addJob('work', BODY));
  } finally {
    await runner.stop();
  }
}

function startRunner(pgPool: pg.Pool, work: () => Promise<void>): Promise<Runner> {
  return run({
    pgPool,
    preset,
    logger: silent,
    taskList: { work },
    parsedCronItems: [],
    noHandleSignals: true,
  });
}
