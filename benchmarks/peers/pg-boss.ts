import pg from 'pg';
import { type FlowJob, PgBoss } from 'pg-boss';
import type { TaskInput } from 'signalbox';
import type { Contestant, OnTask, Workload } from '../contestant.js';
import { measure } from '../span.js';
import { WakeUps } from '../wake-ups.js';
import { BODY } from '../workloads/body.js';
import {
  type Counter,
  countTo,
  expectNoneLeft,
  hasEdges,
  inParallel,
  inWholeGraphs,
  labelOf,
} from './workload.js';

/*
 * pg-boss with what its API offers for throughput in one process: workers that fetch 500 jobs at a time and
 * fetch again at once while batches come back full (burstWhenBatchFull), a batch completed by one statement, a
 * queue with a table of its own (partition), and no scheduler, for there is no cron. Jobs go in by insert(),
 * and those with edges by flow(), which takes whole graphs; several graphs go in one call.
 *
 * Between the insert and the work, untimed, the tables are analyzed, as autovacuum would have done in production.
 *
 * Dependencies are resolved by a background pass at most once a second (flowIntervalSeconds), and idle workers
 * poll at most twice a second, so the diamonds would measure these timers. Therefore resolveFlow(), its public
 * way to run the pass now, runs over and over, and wakes the workers with notifyWorker() whenever it unblocked
 * something. Nobody would run pg-boss like this for long: it is the most that its API gives. With its timers alone,
 * the diamonds take a few of their periods whatever the size, five seconds each by default.
 *
 * Its connections are our pool's (`db`), of as many as it would have opened, and live on from round to round.
 *
 * The time ends when offWork() has resolved: that waits until the last batch is completed in the database.
 *
 * Wake-ups are measured with what its API has for latency: useListenNotify, and a queue with `notify`, so that send()
 * wakes the worker, which fetches one job at a time. In the other scenarios they are off: a busy worker fetches anyway.
 */

const SCHEMA = 'bench_pg_boss';
const QUEUE = 'work';
const INSERT_BATCH_SIZE = 5_000;
const INSERTS_AT_A_TIME = 2;
const WORKERS = 8;
const LABEL = labelOf('pg-boss');
const CONSTRUCTOR = { schema: SCHEMA, max: WORKERS + 2, schedule: false };

export async function openPgBoss(connectionString: string): Promise<Contestant> {
  const admin = new pg.Pool({ connectionString, max: 1 });
  admin.on('error', () => {});
  const drop = () => admin.query(`drop schema if exists ${SCHEMA} cascade`);
  const pool = new pg.Pool({ connectionString, max: CONSTRUCTOR.max });
  pool.on('error', () => {});
  const executeSql = (text: string, values?: unknown[]) => pool.query(text, values);
  return {
    name: LABEL,
    async run(workload, size, onTask) {
      await drop();
      const boss = new PgBoss({ ...CONSTRUCTOR, db: { executeSql } });
      const performed = countTo(size);
      boss.on('error', (error) => performed.fail(new Error('pg-boss', { cause: error })));
      await boss.start();
      try {
        await boss.createQueue(QUEUE, { partition: true });
        const insertSpan = await measure(() => insert(boss, workload));
        await admin.query('analyze');
        const performSpan = await measure(() => performAll(boss, performed, onTask));
        const { rows } = await admin.query(
          `select count(*)::integer as left from ${SCHEMA}.job where state <> 'completed'`,
        );
        expectNoneLeft(LABEL, rows[0].left);
        return { insert: insertSpan, perform: performSpan };
      } finally {
        await boss.stop({ graceful: false });
        await drop();
      }
    },
    async wake(count) {
      await drop();
      const boss = new PgBoss({ ...CONSTRUCTOR, connectionString, useListenNotify: true });
      const failed = new Promise<never>((_, reject) => boss.on('error', reject));
      await boss.start();
      try {
        return await Promise.race([measureWakeUps(boss, count), failed]);
      } finally {
        await boss.stop({ graceful: false });
      }
    },
    async close() {
      await drop();
      await admin.end();
      await pool.end();
    },
  };
}

async function insert(boss: PgBoss, workload: Workload): Promise<void> {
  await inParallel(inWholeGraphs(workload(), INSERT_BATCH_SIZE), INSERTS_AT_A_TIME, (tasks) =>
    hasEdges(tasks) ? boss.flow(toFlow(tasks)) : boss.insert(QUEUE, tasks.map(toJob)),
  );
}

function toJob({ body }: TaskInput): { data: object } {
  return { data: Object(body) };
}

/** Turns the edges round: pg-boss wants to know of each job what it waits for. */
function toFlow(tasks: readonly TaskInput[]): FlowJob[] {
  const sources = new Map<string, string[]>(tasks.map(({ id }) => [id, []]));
  for (const { id, toSignalAfter = [] } of tasks) {
    for (const target of toSignalAfter) sources.get(target)?.push(id);
  }
  return tasks.map((task) => ({
    ref: task.id,
    name: QUEUE,
    ...toJob(task),
    dependsOn: sources.get(task.id) ?? [],
  }));
}

async function performAll(
  boss: PgBoss,
  performed: Counter,
  onTask: OnTask = () => {},
): Promise<void> {
  const options = { batchSize: 500, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
  const workers = await Promise.all(
    Array.from({ length: WORKERS }, () =>
      boss.work(QUEUE, options, async (jobs) => {
        await Promise.all(jobs.map(async () => onTask()));
        performed.add(jobs.length);
      }),
    ),
  );
  const resolver = new AbortController();
  const resolving = resolveFlows(boss, workers, resolver.signal);
  try {
    await performed.reached;
  } finally {
    resolver.abort();
    await resolving;
    await boss.offWork(QUEUE, { wait: true });
  }
}

async function measureWakeUps(boss: PgBoss, count: number): Promise<number[]> {
  const wakeUps = new WakeUps();
  await boss.createQueue(QUEUE, { partition: true, notify: true });
  await boss.work(QUEUE, async () => wakeUps.woken());
  return await wakeUps.measure(count, () => boss.send(QUEUE, BODY));
}

/** Unblocks what can be, over and over, and wakes the workers each time. */
async function resolveFlows(
  boss: PgBoss,
  workers: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  boss.on('flow', () => {
    for (const id of workers) boss.notifyWorker(id);
  });
  while (!signal.aborted) await boss.resolveFlow();
}
