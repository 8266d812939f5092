import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { askOwner, connectionUrl, type Endpoint } from './connection.js';
import { adoptedServer, type EmbeddedServer } from './embedded-server.js';
import { EmbeddedServerError } from './embedded-server-error.js';
import type { Launch } from './launch.js';
import {
  findPostmaster,
  type PostmasterRecord,
  postmasterEnds,
  signalPostmaster,
} from './postmaster-file.js';
import { isTagAlive } from './process-tag.js';
import { attemptTimeoutMs } from './readiness.js';
import { errorCode } from './system-error.js';

const POLL_INTERVAL_MS = 20;
const CANNOT_CONNECT_NOW = '57P03';
const TOO_MANY_CONNECTIONS = '53300';

function endpointOf({ socketDir, listenAddress, port }: PostmasterRecord): Endpoint {
  if (socketDir !== '') return { host: socketDir, port };
  return { host: listenAddress === '*' ? '127.0.0.1' : listenAddress, port };
}

function unreachable(dataDir: string, running: PostmasterRecord, problem: string, cause?: unknown) {
  return new EmbeddedServerError(
    'unreachable',
    `A Postgres server (pid ${running.pid}) already runs on ${dataDir}, but ${problem}. Stop it, or use another dataDir.`,
    { cause },
  );
}

/** Whether a server that refused us may answer later: it is starting, stopping, or full. */
function mayAnswerLater(error: unknown): boolean {
  const code = errorCode(error);
  if (error instanceof pg.DatabaseError) {
    return code === CANNOT_CONNECT_NOW || code === TOO_MANY_CONNECTIONS;
  }
  return code !== 'EACCES' && code !== 'EPERM';
}

/** A server whose owner was killed and whose death guard did not work. */
async function endOwnerless(
  launch: Launch,
  dataDir: string,
  { pid }: PostmasterRecord,
): Promise<void> {
  launch.logger.warn(
    `Ending the server (pid ${pid}) on ${dataDir}: the process that started it is dead.`,
  );
  await signalPostmaster(pid, 'SIGINT');
  await postmasterEnds(dataDir, pid, launch.deadline - performance.now());
}

function checkPort(launch: Launch, dataDir: string, running: PostmasterRecord): Endpoint {
  const { port } = launch;
  if (port === undefined) return endpointOf(running);
  if (running.listenAddress === '' || running.port !== port) {
    throw unreachable(dataDir, running, `it does not listen on TCP port ${port}`);
  }
  return { host: '127.0.0.1', port };
}

/**
 * Adopts the server that runs on `dataDir`, waiting for one that is just starting. Null if there is none any
 * more: it ended, or was ended because its owner is dead. Throws `unreachable` if it runs and does not let us
 * in.
 */
export async function adopt(launch: Launch, dataDir: string): Promise<EmbeddedServer | null> {
  for (;;) {
    const running = await findPostmaster(dataDir);
    if (running === null) return null;
    const owner = await askOrNull(launch, dataDir, running);
    if (owner === undefined) {
      await pause(POLL_INTERVAL_MS);
    } else if (owner !== null && !(await isTagAlive(owner))) {
      await endOwnerless(launch, dataDir, running);
    } else {
      return asAdopted(launch, dataDir, running);
    }
  }
}

function asAdopted(launch: Launch, dataDir: string, running: PostmasterRecord): EmbeddedServer {
  const endpoint = checkPort(launch, dataDir, running);
  if (launch.hasOwnSettings) {
    launch.logger.warn(
      `The server (pid ${running.pid}) on ${dataDir} was running already: the settings given are not applied.`,
    );
  }
  return adoptedServer(dataDir, connectionUrl(endpoint));
}

/** The owner's tag, null if the server is not one of ours, undefined if it does not answer yet. */
async function askOrNull(
  launch: Launch,
  dataDir: string,
  running: PostmasterRecord,
): Promise<string | null | undefined> {
  try {
    return await askOwner(endpointOf(running), attemptTimeoutMs(launch.deadline));
  } catch (cause) {
    if (!mayAnswerLater(cause) || performance.now() > launch.deadline) {
      throw unreachable(dataDir, running, `it does not accept our connection (${cause})`, cause);
    }
    return undefined;
  }
}
