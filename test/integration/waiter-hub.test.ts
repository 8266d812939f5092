import { randomBytes } from 'node:crypto';
import net from 'node:net';
import pg from 'pg';
import { expect, inject, it, onTestFinished, vi } from 'vitest';
import type { WatchReport } from '../../src/store/task-store.js';
import { WaiterHub, type WaiterHubOptions } from '../../src/wait/waiter-hub.js';

const connectionString = inject('connectionString');
const range = (length: number): string[] => Array.from({ length }, (_, i) => `t${i}`);
const NEVER_MS = 600_000;

const REPORTS = `
  with held as materialized (
    select id from %table% where id = any ($1) order by id for no key update skip locked
  ), watched as (
    update %table% t set watchers = array_append(watchers, $2)
    from held where t.id = held.id and t.status is null and $2 <> all (watchers)
  )
  select asked.id, t.status, t.id is not null as exists, held.id is not null as held
  from unnest($1::text[]) as asked (id)
  left join %table% t on t.id = asked.id left join held on held.id = asked.id`;

const END = `
  with ended as (
    update %table% set status = 'done' where id = any ($1) returning id, watchers
  ), pages as (
    select channel, id, row_number() over (partition by channel order by id) / 100 as page
    from ended cross join unnest(watchers) as w (channel)
  )
  select pg_notify(channel, json_agg(id)::text) from pages group by channel, page`;

/** A table of tasks, just rich enough to be watched; dropped after the test. */
async function newTasks(numTasks: number) {
  const pool = new pg.Pool({ connectionString, max: 2 });
  const table = `waiter_hub_${randomBytes(6).toString('hex')}`;
  const applicationName = `${table}-listen`;
  await pool.query(
    `create table ${table} (id text primary key, status text, watchers text[] not null default '{}')`,
  );
  await pool.query(`insert into ${table} (id) select unnest($1::text[])`, [range(numTasks)]);
  onTestFinished(async () => {
    await pool.query(`drop table ${table}`);
    await pool.end();
  });
  let numCalls = 0;

  const watch = async (ids: string[], channel: string): Promise<WatchReport[]> => {
    numCalls += 1;
    const { rows } = await pool.query(REPORTS.replaceAll('%table%', table), [ids, channel]);
    return rows.map(({ id, status, exists, held }): WatchReport => {
      if (!exists) return { id, state: 'missing' };
      if (!held) return { id, state: 'busy' };
      if (status === null) return { id, state: 'watched' };
      return { id, state: 'ended', outcome: { id, statusCode: 'completed', status, result: null } };
    });
  };

  const listeners = async (): Promise<number[]> => {
    const sql = 'select pid from pg_stat_activity where application_name = $1';
    const { rows } = await pool.query<{ pid: number }>(sql, [applicationName]);
    return rows.map(({ pid }) => pid);
  };

  return {
    applicationName,
    watch,
    listeners,
    numCalls: () => numCalls,
    end: (ids: string[]) => pool.query(END.replaceAll('%table%', table), [ids]),
    notify: (channel: string, payload: string) =>
      pool.query('select pg_notify($1, $2)', [channel, payload]),
    /** Resolves when the backends are gone. */
    killListeners: async () => {
      const pids = await listeners();
      await pool.query('select pg_terminate_backend(pid) from unnest($1::integer[]) as pid', [
        pids,
      ]);
      await vi.waitFor(async () => {
        for (const pid of await listeners()) expect(pids).not.toContain(pid);
      });
    },
  };
}

/** A TCP proxy to the server, which forwards, keeps silent, or refuses; closed after the test. */
async function newProxy() {
  const { host, port, user, password, database } = new pg.Client(connectionString);
  const sockets = new Set<net.Socket>();
  let mode: 'forward' | 'silent' = 'forward';
  let numAccepted = 0;

  const join = (from: net.Socket, to: net.Socket): void => {
    from.on('data', (chunk) => mode === 'forward' && to.write(chunk));
    from.on('error', () => {}).on('close', () => to.destroy());
    sockets.add(from);
  };
  const server = net.createServer((near) => {
    numAccepted += 1;
    const far = host.startsWith('/')
      ? net.connect(`${host}/.s.PGSQL.${port}`)
      : net.connect(port, host);
    join(near, far);
    join(far, near);
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const listen = (onPort: number): Promise<void> =>
    new Promise((resolve) => server.listen(onPort, '127.0.0.1', resolve));
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  onTestFinished(() => {
    server.close();
    cut();
  });
  return {
    config: { host: '127.0.0.1', port: address.port, user, password, database },
    numAccepted: () => numAccepted,
    /** What arrives from now on is swallowed, in both directions and on new connections too. */
    silence: () => {
      mode = 'silent';
    },
    cut,
    refuse: () => {
      server.close();
      cut();
    },
    accept: () => listen(address.port),
  };
}

type Proxy = Awaited<ReturnType<typeof newProxy>>;

/** A hub that gets by without its polls, stopped after the test. */
function newHub(options: WaiterHubOptions): WaiterHub {
  const hub = new WaiterHub({ pollIntervalMs: NEVER_MS, retryIntervalMs: 50, ...options });
  onTestFinished(() => hub.stop());
  return hub;
}

function configFor(tasks: { applicationName: string }): pg.ClientConfig {
  return { connectionString, application_name: tasks.applicationName };
}

it('2,000 waiters use one connection and a handful of watch calls', async () => {
  const tasks = await newTasks(2000);
  const hub = newHub({ listenConfig: configFor(tasks), watch: tasks.watch });
  const waiters = await Promise.all(range(2000).map((id) => hub.newWaiter(id)));
  expect(tasks.numCalls()).toBe(2);
  expect(await tasks.listeners()).toHaveLength(1);
  await tasks.end(range(2000));
  const outcomes = await Promise.all(waiters.map((waiter) => waiter.wait()));
  expect(outcomes.map(({ id }) => id)).toEqual(range(2000));
  expect(tasks.numCalls()).toBeLessThan(10);
});

it('killing the listening backend again and again loses no end', async () => {
  const tasks = await newTasks(300);
  const hub = newHub({ listenConfig: configFor(tasks), watch: tasks.watch });
  const waited = hub.waitFor(range(300));
  const waiter = await hub.newWaiter('t299');
  for (let from = 0; from < 300; from += 100) {
    await tasks.end(range(300).slice(from, from + 50));
    await tasks.killListeners();
    await tasks.end(range(300).slice(from + 50, from + 100));
    await vi.waitFor(async () => expect(await tasks.listeners()).toHaveLength(1));
  }
  expect(await waited).toHaveLength(300);
  expect(await waiter.wait()).toMatchObject({ id: 't299', status: 'done' });
});

it('a hub that cannot listen finds the ends by polling, and listens as soon as it can', async () => {
  const tasks = await newTasks(2);
  const proxy = await newProxy();
  proxy.refuse();
  const hub = newHub({ listenConfig: proxy.config, watch: tasks.watch });
  const first = await hub.newWaiter('t0');
  await tasks.end(['t0']);
  expect(await first.wait()).toMatchObject({ status: 'done' });
  const woken = hub.nextReady({ timeoutMs: NEVER_MS });
  await proxy.accept();
  expect(await woken).toBe('ready');
  const second = hub.nextReady({ timeoutMs: NEVER_MS });
  await tasks.notify(hub.channel, 'ready');
  expect(await second).toBe('ready');
});

it('a connection that died without a word costs one poll interval', async () => {
  const tasks = await newTasks(1);
  const proxy = await newProxy();
  const hub = newHub({ listenConfig: proxy.config, watch: tasks.watch, pollIntervalMs: 100 });
  const waiter = await hub.newWaiter('t0');
  proxy.silence();
  await tasks.end(['t0']);
  expect(await waiter.wait()).toMatchObject({ status: 'done' });
});

it('stop leaves no connection behind', async () => {
  const tasks = await newTasks(1);
  const hub = newHub({ listenConfig: configFor(tasks), watch: tasks.watch });
  await hub.newWaiter('t0');
  expect(await tasks.listeners()).toHaveLength(1);
  await hub.stop();
  await vi.waitFor(async () => expect(await tasks.listeners()).toEqual([]));
});

it.each([
  ['while it waits for the next attempt', async (proxy: Proxy) => proxy.refuse()],
  [
    'while the server does not answer',
    async (proxy: Proxy) => {
      proxy.silence();
      proxy.cut();
      await vi.waitFor(() => expect(proxy.numAccepted()).toBe(2));
    },
  ],
  [
    'in the middle of connecting',
    async (proxy: Proxy) => {
      proxy.cut();
      await vi.waitFor(() => expect(proxy.numAccepted()).toBe(2), { interval: 1 });
    },
  ],
  ['on a connection that died without a word', async (proxy: Proxy) => proxy.silence()],
])('stop %s ends the reconnecting and leaves no connection behind', async (_, disturb) => {
  const tasks = await newTasks(1);
  const proxy = await newProxy();
  const listenConfig = { ...proxy.config, application_name: tasks.applicationName };
  const hub = newHub({ listenConfig, watch: tasks.watch });
  await hub.start();
  await disturb(proxy);
  await hub.stop();
  const numAccepted = proxy.numAccepted();
  await vi.waitFor(async () => expect(await tasks.listeners()).toEqual([]));
  expect(proxy.numAccepted()).toBe(numAccepted);
});
