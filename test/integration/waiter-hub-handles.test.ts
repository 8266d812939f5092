import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect, inject, it, onTestFinished, vi } from 'vitest';
import { noopLogger } from '../../src/logger.js';
import { PgListener } from '../../src/wait/pg-listener.js';

const connectionString = inject('connectionString');

function newListener(config: pg.ClientConfig, channel: string): PgListener {
  const listener = new PgListener({ config, channel, retryIntervalMs: 5, logger: noopLogger });
  onTestFinished(() => listener.stop());
  return listener;
}

function newPool(): pg.Pool {
  const pool = new pg.Pool({ connectionString, max: 1 });
  onTestFinished(() => pool.end());
  return pool;
}

async function numConnections(pool: pg.Pool, applicationName: string): Promise<number> {
  const sql = 'select 1 from pg_stat_activity where application_name = $1';
  return (await pool.query(sql, [applicationName])).rows.length;
}

it('a connection on which LISTEN fails is closed before the next attempt', async () => {
  const pool = newPool();
  const applicationName = `failing-${randomBytes(6).toString('hex')}`;
  const noChannel = ''; // which LISTEN refuses
  const listener = newListener({ connectionString, application_name: applicationName }, noChannel);
  const onLost = vi.fn();
  await listener.start({ onNotify: () => {}, onConnected: () => {}, onLost });
  await vi.waitFor(() => expect(onLost.mock.calls.length).toBeGreaterThan(5));
  await listener.stop();
  await vi.waitFor(async () => expect(await numConnections(pool, applicationName)).toBe(0));
});

it('the listening connection is called signalbox-listen unless it has a name', async () => {
  const channel = `any_${randomBytes(6).toString('hex')}`;
  await newListener({ connectionString }, channel).start({
    onNotify: () => {},
    onConnected: () => {},
    onLost: () => {},
  });
  const { rows } = await newPool().query(
    'select application_name from pg_stat_activity where query = $1',
    [`LISTEN ${channel}`],
  );
  expect(rows).toEqual([{ application_name: 'signalbox-listen' }]);
});

it('stop lets go of a server that neither answers nor hangs up', async () => {
  const accepted: net.Socket[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => accepted.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of accepted) socket.destroy();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  const listener = newListener({ host: '127.0.0.1', port: address.port }, 'any');
  const started = listener.start({ onNotify: () => {}, onConnected: () => {}, onLost: () => {} });
  await vi.waitFor(() => expect(accepted).toHaveLength(1));
  const [socket] = accepted;
  const reset = vi.fn();
  socket?.on('error', reset).resume();
  await Promise.all([listener.stop(), started]);
  await vi.waitFor(() => {
    socket?.write('anybody there?');
    expect(reset).toHaveBeenCalled();
  });
  expect(accepted).toHaveLength(1);
});

it('a pending wait keeps its process alive, and a stopped hub lets it exit', async () => {
  const script = `
    import { WaiterHub } from './src/wait/waiter-hub.ts';
    const answers = ['watched', 'watched', 'ended'];
    const watch = async (ids) => ids.map((id) => ({ id, state: answers.shift(), outcome: { id } }));
    const listenConfig = ${JSON.stringify(connectionString)};
    const hub = new WaiterHub({ listenConfig, watch, pollIntervalMs: 100 });
    const outcomes = await hub.waitFor(['a']);
    await hub.stop();
    console.log(JSON.stringify(outcomes));`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
  expect(JSON.parse(stdout)).toEqual([{ id: 'a' }]);
});
