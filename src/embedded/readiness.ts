import { setTimeout as pause } from 'node:timers/promises';
import { askOwner } from './connection.js';
import { EmbeddedServerError } from './embedded-server-error.js';
import type { Launch } from './launch.js';
import type { Postmaster } from './postmaster.js';

const POLL_INTERVAL_MS = 10;
const LONGEST_ATTEMPT_MS = 2_000;

/** What one connection attempt may take, in milliseconds. */
export function attemptTimeoutMs(deadline: number): number {
  return Math.max(1, Math.min(LONGEST_ATTEMPT_MS, deadline - performance.now()));
}

async function failure(postmaster: Postmaster, ending: string): Promise<EmbeddedServerError> {
  return new EmbeddedServerError(
    'start-failed',
    `Postgres ended while starting (${ending}). It logged:\n${await postmaster.log.tail()}`,
  );
}

/**
 * Waits until the server answers a query. Throws `start-failed` if it ends first, `start-timeout` at the
 * deadline.
 */
export async function waitUntilReady(postmaster: Postmaster, launch: Launch): Promise<void> {
  for (;;) {
    try {
      await askOwner(postmaster.socket, attemptTimeoutMs(launch.deadline));
      return;
    } catch (cause) {
      if (postmaster.ending !== null) throw await failure(postmaster, postmaster.ending);
      if (performance.now() > launch.deadline) {
        throw new EmbeddedServerError(
          'start-timeout',
          `Postgres did not answer within ${launch.startTimeoutMs} ms. Give a larger startTimeoutMs if it is recovering from a crash. ` +
            `It logged:\n${await postmaster.log.tail()}`,
          { cause },
        );
      }
    }
    await pause(POLL_INTERVAL_MS);
  }
}
