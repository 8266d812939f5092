// Waiting at full throughput: a process of its own performs ten times as many flat tasks as there are waiters, and
// every tenth of them is waited for, each by a call of its own, in this process. One unit is a wait. Its latency is from
// `finished_at`, which the return writes just before it commits, to the promise: a little more than from the commit. The
// server must share this machine's clock. The connections of the waiters are counted while they wait.
import type { Signalbox } from 'signalbox';
import { named, onServer, withBox } from '../box.js';
import { Fleet } from '../fleet.js';
import { atMostMs, recordLatencies } from '../latency.js';
import type { Scenario } from '../scenario.js';
import { medianOf } from '../target.js';

const SCHEMA = 'bench_waiters';
const LISTENER = 'bench_waiters_listen';
const TASKS_PER_WAITER = 10;
const PREFIX = 'awaited';
const CONNECTIONS = 'connections that wait';

export const waiters: Scenario = {
  name: 'waiters',
  what: 'wait for tasks at full throughput: time from commit to promise',
  unit: 'waiters',
  size: 10_000,
  quickSize: 2_000,
  warmsUp: true,
  targets: [
    atMostMs(250, 'p99'),
    {
      what: CONNECTIONS,
      kind: 'at most',
      limit: 1,
      value: medianOf({ who: 'signalbox', what: CONNECTIONS }),
    },
  ],
  async round({ connectionString, size, record }) {
    const place = { connectionString, schema: SCHEMA };
    const listenConnectionString = named(connectionString, LISTENER);
    await withBox({ ...place, listenConnectionString }, async (box) => {
      await using fleet = await Fleet.start(1, { ...place, maxConnections: 10 });
      const numTasks = size * TASKS_PER_WAITER;
      await fleet.insert('flat', numTasks, PREFIX);
      const resolvedAt = await startWaiting(box, size);
      const connections = await countListeners(connectionString);
      const performMs = await fleet.perform(numTasks);
      const endedAt = await readEnds(connectionString, [...resolvedAt.keys()]);
      const values = await latencies(resolvedAt, endedAt);
      const rate = { who: 'signalbox', what: 'rate meanwhile', unit: 'tasks/s' };
      recordLatencies(record, { who: 'signalbox', values });
      record({ ...rate, value: (1_000 * numTasks) / performMs });
      record({ who: 'signalbox', what: CONNECTIONS, unit: '', value: connections });
    });
  },
};

/** Resolves once all of them wait, with when each wait will have resolved, in milliseconds of the system's clock. */
async function startWaiting(box: Signalbox, count: number): Promise<Map<string, Promise<number>>> {
  const ids = Array.from({ length: count }, (_, i) => `${PREFIX}/${i * TASKS_PER_WAITER}`);
  const started = await Promise.all(
    ids.map(async (id) => {
      const waiter = await box.newWaiter(id);
      const end = waiter.wait().then(() => performance.timeOrigin + performance.now());
      return [id, end] as const;
    }),
  );
  return new Map(started);
}

async function countListeners(connectionString: string): Promise<number> {
  return await onServer(connectionString, async (client) => {
    const { rowCount } = await client.query(
      'select from pg_stat_activity where application_name = $1',
      [LISTENER],
    );
    return rowCount ?? 0;
  });
}

async function readEnds(
  connectionString: string,
  ids: readonly string[],
): Promise<Map<string, number>> {
  return await onServer(connectionString, async (client) => {
    const { rows } = await client.query<{ id: string; ms: string }>(
      `select id, 1000 * extract(epoch from finished_at) as ms
       from ${SCHEMA}.task where id = any ($1)`,
      [ids],
    );
    return new Map(rows.map(({ id, ms }) => [id, Number(ms)]));
  });
}

async function latencies(
  resolvedAt: ReadonlyMap<string, Promise<number>>,
  endedAt: ReadonlyMap<string, number>,
): Promise<number[]> {
  return await Promise.all(
    [...resolvedAt].map(
      async ([id, resolved]) => (await resolved) - (endedAt.get(id) ?? Number.NaN),
    ),
  );
}
