import {
  type BackendClasses,
  createPostgresBackend,
  createRedisBackend,
  type FlowJob,
  type IQueueBackend,
  runMigrations,
  withBackend,
} from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { TaskInput } from 'signalbox';
import type { Contestant, OnTask, Timing, Workload } from '../contestant.js';
import { measure } from '../span.js';
import { WakeUps } from '../wake-ups.js';
import { BODY } from '../workloads/body.js';
import { startRedis } from './redis-server.js';
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
 * BullMQ on Redis, and on its own Postgres backend, with one Worker in one process. On Redis it runs 200 jobs at a
 * time; on Postgres 16, within the 8 to 32 of its own page's figures (200 came out slower), over a pool of 20, with
 * the schema migrated beforehand. Jobs go in by addBulk(), and those with edges by FlowProducer.addBulk(), 200 jobs
 * a call and four calls on their way at a time (on Redis, 1,000 or 5,000 a call came out slower). Completed jobs are
 * removed, as its pages advise; keeping them came out slower on Redis and no different on Postgres.
 * Postgres' tables are analyzed between the insert and the work, untimed, as autovacuum would have done in production.
 *
 * Redis runs with the persistence advised for production: an append-only file written through once a second
 * (redis-server.ts). That is less than a Postgres with fsync and synchronous_commit on promises, and more than one
 * with fsync off, such as the temporary server of a run without --database-url.
 *
 * A flow is a tree: a job waits for its children, and a child has one parent. A diamond cannot be written, since
 * its first task would be the child of eight. The nearest tree has the same ten jobs: the last over the eight, and
 * the first under one of them, so nine of the sixteen edges. (Each task keeps the first edge it has.) A fan-in and a
 * chain are trees, and are taken as they are; of layers and a fan-out too little would be left.
 * On Postgres, one flow of 100,000 children was not through after six minutes: it is left out of the fan-in.
 * A chain is a flow nested as deep as it is long: 10,000 overflowed the stack on insert, so it is given 1,000.
 *
 * The time ends with the last `completed` event of the Worker, which it emits once the completion is recorded.
 *
 * Wake-ups are measured with the same settings, and jobs go in by add(): an idle Worker blocks on Redis, or listens to
 * Postgres, so drainDelay does not matter.
 */

const QUEUE = 'work';
const SCHEMA = 'bench_bullmq';
const CONCURRENCY_ON_REDIS = 200;
const CONCURRENCY_ON_POSTGRES = 16;
const BATCH_SIZE = 200;
const BATCHES_AT_A_TIME = 4;
const POOL_SIZE = 20;
const UNFINISHED = [
  'wait',
  'active',
  'delayed',
  'prioritized',
  'waiting-children',
  'failed',
] as const;
const LONGEST_CHAIN = 1_000;
const TREES = 'trees of the same ten tasks with 9 of the 16 edges';
/** But for its name. */
const ENTRY = {
  cannot: ['layered', 'fan-out'],
  differences: { insert: TREES, diamonds: TREES, chain: `a chain of ${LONGEST_CHAIN}` },
  longestChain: LONGEST_CHAIN,
};
const JOB_OPTIONS = { removeOnComplete: true };

export async function openBullmqOnRedis(): Promise<Contestant | undefined> {
  const server = await startRedis();
  if (server === undefined) {
    console.error('BullMQ on Redis is left out: there is no redis-server on this machine');
    return undefined;
  }
  const connection = { path: server.socketPath, maxRetriesPerRequest: null };
  const settings = { connection, concurrency: CONCURRENCY_ON_REDIS, settle: async () => {} };
  const admin = new Redis(connection);
  return {
    ...ENTRY,
    name: labelOf('bullmq', ' on Redis'),
    async run(workload, size, onTask) {
      await admin.flushall();
      return runOn(withBackend(createRedisBackend), settings, { workload, size, onTask });
    },
    async wake(count) {
      await admin.flushall();
      return wakeOn(withBackend(createRedisBackend), settings, count);
    },
    async close() {
      admin.disconnect();
      await server.stop();
    },
  };
}

export async function openBullmqOnPostgres(connectionString: string): Promise<Contestant> {
  const admin = new pg.Pool({ connectionString, max: 1 });
  admin.on('error', () => {});
  const drop = () => admin.query(`drop schema if exists ${SCHEMA} cascade`);
  const migrate = async () => {
    await drop();
    const client = await admin.connect();
    try {
      await runMigrations(client, SCHEMA);
    } finally {
      client.release(true);
    }
  };
  const connection = { connectionString, schema: SCHEMA, max: POOL_SIZE };
  const settings = {
    connection,
    concurrency: CONCURRENCY_ON_POSTGRES,
    settle: () => admin.query('analyze'),
  };
  return {
    ...ENTRY,
    name: labelOf('bullmq', ' on Postgres'),
    cannot: [...ENTRY.cannot, 'fan-in'],
    async run(workload, size, onTask) {
      await migrate();
      return runOn(withBackend(createPostgresBackend), settings, { workload, size, onTask });
    },
    async wake(count) {
      await migrate();
      return wakeOn(withBackend(createPostgresBackend), settings, count);
    },
    async close() {
      await drop();
      await admin.end();
    },
  };
}

/** What a Queue, a FlowProducer and a Worker have in common. */
interface Part {
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}

interface Settings<C> {
  readonly connection: C;
  readonly concurrency: number;
  /** Done between the insert and the work, untimed. */
  readonly settle: () => Promise<unknown>;
}

async function runOn<B extends IQueueBackend, C>(
  { Queue, FlowProducer, Worker }: BackendClasses<B, C>,
  { connection, concurrency, settle }: Settings<C>,
  run: { readonly workload: Workload; readonly size: number; readonly onTask: OnTask | undefined },
): Promise<Timing> {
  const { workload, size, onTask = () => {} } = run;
  const queue = new Queue(QUEUE, { connection });
  const flows = new FlowProducer({ connection });
  const worker = new Worker(QUEUE, async () => onTask(), {
    connection,
    concurrency,
    autorun: false,
  });
  const performed = countTo(size);
  const parts: Part[] = [worker, flows, queue];
  for (const part of parts) part.on('error', performed.fail);
  try {
    await Promise.all(parts.map((part) => part.waitUntilReady()));
    const insertSpan = await measure(() =>
      inParallel(inWholeGraphs(workload(), BATCH_SIZE), BATCHES_AT_A_TIME, (tasks) =>
        hasEdges(tasks) ? flows.addBulk(toTrees(tasks)) : queue.addBulk(tasks.map(toJob)),
      ),
    );
    await settle();
    const performSpan = await measure(() => performAll(worker, performed));
    const counts = await queue.getJobCounts(...UNFINISHED);
    expectNoneLeft(
      'BullMQ',
      Object.values(counts).reduce((sum, count) => sum + count, 0),
    );
    return { insert: insertSpan, perform: performSpan };
  } finally {
    for (const part of parts) await part.close();
  }
}

async function wakeOn<B extends IQueueBackend, C>(
  { Queue, Worker }: BackendClasses<B, C>,
  { connection, concurrency }: Settings<C>,
  count: number,
): Promise<number[]> {
  const wakeUps = new WakeUps();
  const queue = new Queue(QUEUE, { connection });
  const worker = new Worker(QUEUE, async () => wakeUps.woken(), { connection, concurrency });
  const parts: Part[] = [worker, queue];
  const failed = new Promise<never>((_, reject) => {
    for (const part of parts) part.on('error', reject);
  });
  try {
    await Promise.all(parts.map((part) => part.waitUntilReady()));
    const add = () => queue.add(QUEUE, BODY, JOB_OPTIONS);
    return await Promise.race([wakeUps.measure(count, add), failed]);
  } finally {
    for (const part of parts) await part.close();
  }
}

function toJob({ body }: TaskInput) {
  return { name: QUEUE, data: body, opts: JOB_OPTIONS };
}

/** The trees of a batch, each task under the first one that it signals. */
function toTrees(tasks: readonly TaskInput[]): FlowJob[] {
  const children = new Map<string, TaskInput[]>(tasks.map(({ id }) => [id, []]));
  const roots: TaskInput[] = [];
  for (const task of tasks) {
    const siblings = children.get(task.toSignalAfter?.[0] ?? '') ?? roots;
    siblings.push(task);
  }
  const toTree = (task: TaskInput): FlowJob => ({
    ...toJob(task),
    queueName: QUEUE,
    children: (children.get(task.id) ?? []).map(toTree),
  });
  return roots.map(toTree);
}

/** The part of a Worker that performing needs. */
interface Performer {
  on(event: 'completed', listener: () => void): unknown;
  on(event: 'failed', listener: (job: unknown, error: Error) => void): unknown;
  run(): Promise<void>;
}

async function performAll(worker: Performer, performed: Counter): Promise<void> {
  worker.on('completed', () => performed.add(1));
  worker.on('failed', (_job, error) => performed.fail(error));
  worker.run().catch(performed.fail);
  await performed.reached;
}
