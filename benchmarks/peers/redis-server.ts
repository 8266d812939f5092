import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { access, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { findDeathGuard, spawnGuarded } from '../../src/embedded/death-guard.js';
import { onProcessExit } from '../../src/embedded/exit-hooks.js';

const execute = promisify(execFile);

export interface RedisServer {
  readonly socketPath: string;
  stop(): Promise<void>;
}

/**
 * A Redis of our own on a unix socket in a temporary directory, as BullMQ's page on production wants it: append-only
 * file, written through once a second, and no eviction. It ends when we do. Resolves with `undefined` where there is
 * no redis-server and none can be installed.
 */
export async function startRedis(): Promise<RedisServer | undefined> {
  const file = (await findRedis()) ?? (await installRedis());
  if (file === undefined) return undefined;
  const dir = await mkdtemp(join(tmpdir(), 'signalbox-redis-'));
  const removeDir = () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  const releaseHook = onProcessExit(removeDir);
  const socketPath = join(dir, 'redis.sock');
  const server = await spawnGuarded(await findDeathGuard(), {
    file,
    args: toArgs({
      port: '0',
      unixsocket: socketPath,
      dir,
      appendonly: 'yes',
      appendfsync: 'everysec',
      save: '',
      'maxmemory-policy': 'noeviction',
    }),
    runAs: null,
    stdio: 'ignore',
  });
  await untilReady(socketPath);
  return {
    socketPath,
    async stop() {
      const ended = once(server, 'exit');
      server.kill('SIGTERM');
      await ended;
      removeDir();
      releaseHook();
    },
  };
}

function toArgs(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

async function findRedis(): Promise<string | undefined> {
  try {
    return (await execute('/bin/sh', ['-c', 'command -v redis-server'])).stdout.trim();
  } catch {
    return undefined;
  }
}

/** Only as root on Debian and its kin. */
async function installRedis(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  try {
    await access('/etc/debian_version');
    console.error('Installing redis-server (apt-get) ...');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await execute('apt-get', ['update', '-qq'], { env });
    await execute('apt-get', ['install', '-y', '-qq', 'redis-server'], { env });
  } catch {
    return undefined;
  }
  return findRedis();
}

/** Rejects after about five seconds. */
async function untilReady(socketPath: string): Promise<void> {
  const retryStrategy = (attempt: number) => (attempt > 100 ? null : 50);
  const client = new Redis({ path: socketPath, retryStrategy, maxRetriesPerRequest: null });
  client.on('error', () => {});
  try {
    await client.ping();
  } finally {
    client.disconnect();
  }
}
