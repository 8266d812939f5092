import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { settlesWithin } from '../timers.js';
import { type Endpoint, OWNER_SETTING } from './connection.js';
import { spawnGuarded } from './death-guard.js';
import { onProcessExit } from './exit-hooks.js';
import type { Launch } from './launch.js';
import type { EmbeddedSettings } from './options.js';
import { postmasterFile } from './postmaster-file.js';
import { openServerLog, type ServerLog } from './server-log.js';

/**
 * Without TCP the number is but the end of the socket's name. Nothing listens on TCP port 1, so a driver that
 * overlooks the socket in the connection string fails instead of reaching some other server on this machine.
 */
const SOCKET_ONLY_PORT = 1;
const FAST_SHUTDOWN_MS = 10_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;
const EXIT_SHUTDOWN_MS = 2_000;
const EXIT_POLL_MS = 5;

export interface PostmasterPlan {
  readonly dataDir: string;
  readonly socketDir: string;
  readonly logFiles: [string, ...string[]];
  /** Its data may be lost, at the exit of this process they are. */
  readonly isThrowaway: boolean;
}

function settingArgs(settings: EmbeddedSettings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    const text = typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
    return ['-c', `${name}=${text}`];
  });
}

function serverArgs(launch: Launch, plan: PostmasterPlan): string[] {
  const address = {
    port: launch.port ?? SOCKET_ONLY_PORT,
    listen_addresses: launch.port === undefined ? '' : '127.0.0.1',
    unix_socket_directories: plan.socketDir,
    [OWNER_SETTING]: launch.owner,
  };
  return ['-D', plan.dataDir, ...settingArgs(launch.settings), ...settingArgs(address)];
}

function sleepSync(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}

/** A server process that is our child. It never keeps the event loop alive, except while `stop()` waits for it. */
export class Postmaster {
  /** The socket, which answers before TCP could and cannot be another server's. */
  readonly socket: Endpoint;
  readonly log: ServerLog;
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #plan: PostmasterPlan;

  private constructor(child: ChildProcess, plan: PostmasterPlan, port: number, log: ServerLog) {
    this.#child = child;
    this.#plan = plan;
    this.socket = { host: plan.socketDir, port };
    this.log = log;
    const forget = onProcessExit(() => this.#endAtExit());
    this.exited = once(child, 'exit').then(forget);
  }

  /** Spawns the server; whether it comes up is for the caller to find out. */
  static async spawn(launch: Launch, plan: PostmasterPlan): Promise<Postmaster> {
    const log = await openServerLog(...plan.logFiles);
    try {
      const child = await spawnGuarded(launch.guard, {
        file: launch.binaries.postgres,
        args: serverArgs(launch, plan),
        runAs: launch.runAs,
        stdio: ['ignore', log.fd, log.fd],
      });
      child.unref();
      return new Postmaster(child, plan, launch.port ?? SOCKET_ONLY_PORT, log);
    } finally {
      await log.close();
    }
  }

  /** How the process ended: `exit code 1`, `SIGKILL`; null while it runs. */
  get ending(): string | null {
    if (this.#child.signalCode !== null) return this.#child.signalCode;
    return this.#child.exitCode === null ? null : `exit code ${this.#child.exitCode}`;
  }

  /** Fast shutdown (clients are cut off, data saved), then immediate shutdown, then SIGKILL. Safe twice. */
  async stop(): Promise<void> {
    this.#child.ref();
    if (await this.#endsBy('SIGINT', FAST_SHUTDOWN_MS)) return;
    await this.crash();
  }

  /** Immediate shutdown (clients are cut off, nothing is saved, the next start recovers), then SIGKILL. Safe twice. */
  async crash(): Promise<void> {
    this.#child.ref();
    if (await this.#endsBy('SIGQUIT', IMMEDIATE_SHUTDOWN_MS)) return;
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  async #endsBy(signal: NodeJS.Signals, timeoutMs: number): Promise<boolean> {
    if (this.ending === null) this.#child.kill(signal);
    return settlesWithin(this.exited, timeoutMs);
  }

  /**
   * In the `exit` event nothing can be awaited. A throwaway server is ended without saving, and its lock
   * file, which it removes last, tells when its directory can be removed; a durable one is left to its fast
   * shutdown.
   */
  #endAtExit(): void {
    this.#child.kill(this.#plan.isThrowaway ? 'SIGQUIT' : 'SIGINT');
    if (!this.#plan.isThrowaway) return;
    const deadline = performance.now() + EXIT_SHUTDOWN_MS;
    while (existsSync(postmasterFile(this.#plan.dataDir)) && performance.now() < deadline) {
      sleepSync(EXIT_POLL_MS);
    }
  }
}
