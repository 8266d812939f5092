import { type ChildProcess, execFile, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { RunAs } from './run-as.js';

/*
 * A guarded process gets SIGINT when we die, however we die. For a postmaster that is a fast shutdown, for
 * initdb the order to give up and clean up.
 *
 * `pdeathsig` (Linux with setpriv): the kernel sends the signal. Three traps. The kernel forgets the order
 * when the user id changes, so setpriv changes it first and asks afterwards. We may die before the order
 * stands; the shell that setpriv starts therefore compares its parent with us before it becomes the server.
 * And the order is tied to the thread that spawned, not to the process: a server started in a worker thread
 * ends with that thread.
 *
 * `watchdog` (macOS, or no setpriv): a shell, in a session of its own so that Ctrl-C and a killed process
 * group pass it by, reads from a pipe that only we hold open. End of file means that we are gone.
 */

export type DeathGuard =
  | { readonly kind: 'pdeathsig'; readonly setpriv: string }
  | { readonly kind: 'watchdog' };

export interface GuardedSpawn {
  readonly file: string;
  readonly args: readonly string[];
  readonly runAs: RunAs | null;
  readonly stdio: StdioOptions;
}

const SETPRIV_PATHS = ['/usr/bin/setpriv', '/bin/setpriv', '/run/current-system/sw/bin/setpriv'];
const SHELL = '/bin/sh';
const EXEC_IF_PARENT_LIVES = 'test "$PPID" = "$0" && exec "$@"';
const INTERRUPT_AT_END_OF_FILE = 'read -r pid || exit 0; read -r _; kill -INT "$pid"';

/**
 * All that a child sees of the environment. UTC spares initdb the search for the zone and gives every machine
 * the same.
 */
const CHILD_ENV = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' };

const run = promisify(execFile);

async function supportsDeathSignal(setpriv: string): Promise<boolean> {
  try {
    await access(setpriv, constants.X_OK);
    await run(setpriv, ['--pdeathsig', 'INT', '--', SHELL, '-c', ':'], { env: CHILD_ENV });
    return true;
  } catch {
    return false;
  }
}

/** The best guard that this machine offers. */
export async function findDeathGuard(): Promise<DeathGuard> {
  if (process.platform !== 'linux') return { kind: 'watchdog' };
  for (const setpriv of SETPRIV_PATHS) {
    if (await supportsDeathSignal(setpriv)) return { kind: 'pdeathsig', setpriv };
  }
  return { kind: 'watchdog' };
}

function setprivArgs({ file, args, runAs }: GuardedSpawn): string[] {
  const user =
    runAs === null ? [] : ['--reuid', `${runAs.uid}`, '--regid', `${runAs.gid}`, '--clear-groups'];
  const order = ['--pdeathsig', 'INT', ...user, '--'];
  return [...order, SHELL, '-c', EXEC_IF_PARENT_LIVES, `${process.pid}`, file, ...args];
}

/** Does not keep the event loop alive, for a watchdog is no reason to run on. */
function startWatchdog(): { watch(child: ChildProcess): void } {
  const watchdog = spawn(SHELL, ['-c', INTERRUPT_AT_END_OF_FILE], {
    cwd: '/',
    detached: true,
    env: CHILD_ENV,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.unref();
  watchdog.once('error', () => {});
  // A watchdog that is gone can no longer be written to; the server runs on without it.
  watchdog.stdin.on('error', () => {});
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref();
  return {
    watch(child) {
      const dismiss = () => watchdog.kill('SIGKILL');
      child.once('exit', dismiss);
      child.once('error', dismiss);
      if (child.pid !== undefined) watchdog.stdin.write(`${child.pid}\n`);
    },
  };
}

/**
 * Starts a process that ends when we do, in a session of its own: Ctrl-C at the terminal reaches us and not
 * it, so that we end it in our own time. Its pid is that of `file`. Rejects if it cannot be started.
 */
export async function spawnGuarded(
  guard: DeathGuard,
  request: GuardedSpawn,
): Promise<ChildProcess> {
  const { file, args, runAs, stdio } = request;
  const common = { cwd: '/', detached: true, env: CHILD_ENV, stdio };
  if (guard.kind === 'pdeathsig') {
    const child = spawn(guard.setpriv, setprivArgs(request), common);
    await once(child, 'spawn');
    return child;
  }
  const watchdog = startWatchdog();
  const user = runAs === null ? {} : { uid: runAs.uid, gid: runAs.gid };
  const child = spawn(file, args, { ...common, ...user });
  watchdog.watch(child);
  await once(child, 'spawn');
  return child;
}
