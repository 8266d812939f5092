import { InvalidOptionError } from '../errors.js';
import { type Logger, noopLogger } from '../logger.js';
import { checkBackoff } from '../pool/backoff.js';
import type { PollStrategy, RetryPolicy } from '../store/task-store.js';
import type { ReturnedHook } from './actor.js';
import { checkMaxTries } from './define-actor.js';
import { DEFAULT_MAX_TRIES, DEFAULT_RETRY } from './outcome-rules.js';

/** How a manager works. Durations in milliseconds. */
export interface ManagerOptions {
  /** Handlers that run at once, of all its actors together. Default 5. */
  workers?: number;
  /** Owned tasks that may wait in memory. Default 1,000; handlers that take long have fewer, or none, waiting. */
  channelSize?: number;
  /** Tasks asked for, and returned, at a time. Default 500. */
  maxTasks?: number;
  /** First pause when there was nothing to own; doubles up to 15 s while nothing comes. New work wakes it at once. Default 300. */
  waitTimeMs?: number;
  /** Pause after an error of the database. Default 3,000. */
  errWaitTimeMs?: number;
  /**
   * How long an ownership lasts unless extended, which the manager does: how soon a crashed one's tasks come back.
   * At least two heartbeats. Default 30 minutes.
   */
  maxDurationMs?: number;
  /** How soon a task that was cancelled is noticed. Default 5 s, or a third of `maxDurationMs` if that is less. */
  heartbeatMs?: number;
  /** Default: `['default']`. */
  queues?: readonly string[];
  /** Which ready tasks are owned first. Default `'priority'`. */
  pollStrategy?: PollStrategy;
  /** Of failed tries of tasks, and actions, without a policy of their own. Default: 100 ms, doubling up to an hour, varied by a fifth. */
  retry?: RetryPolicy;
  /** Of tasks, and actions, without a limit of their own; Infinity: none. Default 25. */
  maxTries?: number;
  /** Called for each try whose return is committed. */
  onReturned?: ReturnedHook;
  logger?: Logger;
}

type Optional = 'queues' | 'pollStrategy' | 'onReturned';

/** The options with the defaults filled in. */
export type FullManagerOptions = Required<Omit<ManagerOptions, Optional>> &
  Pick<ManagerOptions, Optional>;

const DEFAULTS = Object.freeze({
  workers: 5,
  channelSize: 1_000,
  maxTasks: 500,
  waitTimeMs: 300,
  errWaitTimeMs: 3_000,
  maxDurationMs: 1_800_000,
  retry: DEFAULT_RETRY,
  maxTries: DEFAULT_MAX_TRIES,
  logger: noopLogger,
});

/** A cancelled task is noticed this soon, at one statement for all that is held. */
const LONGEST_HEARTBEAT_MS = 5_000;
const COUNTS = ['workers', 'channelSize', 'maxTasks'] as const;
const DURATIONS = ['waitTimeMs', 'errWaitTimeMs', 'maxDurationMs', 'heartbeatMs'] as const;

/** Fills in the defaults. InvalidOptionError for the first option that cannot be kept to. */
export function fullManagerOptions(given: ManagerOptions): FullManagerOptions {
  const filled = { ...DEFAULTS, ...given };
  const heartbeatMs = given.heartbeatMs ?? Math.min(LONGEST_HEARTBEAT_MS, filled.maxDurationMs / 3);
  const options = { ...filled, heartbeatMs };
  for (const option of COUNTS) {
    const value = options[option];
    if (!(Number.isInteger(value) && value > 0)) fail(option, value, 'a whole number from 1 up');
  }
  for (const option of DURATIONS) {
    const value = options[option];
    if (!(value > 0)) fail(option, value, 'milliseconds, more than 0');
  }
  checkHeartbeat(options);
  checkMaxTries('maxTries', options.maxTries);
  checkBackoff('retry', options.retry);
  checkNames(options);
  return options;
}

/** One heartbeat may fail without costing the tasks. */
function checkHeartbeat({ maxDurationMs, heartbeatMs }: FullManagerOptions): void {
  if (maxDurationMs >= 2 * heartbeatMs) return;
  throw new InvalidOptionError(
    'maxDurationMs',
    `is ${maxDurationMs}, shorter than two heartbeats (heartbeatMs is ${heartbeatMs}); raise the one or lower the other`,
  );
}

function checkNames({ queues, pollStrategy = 'priority' }: FullManagerOptions): void {
  if (queues?.length === 0) throw new InvalidOptionError('queues', 'are none; name one or more');
  if (pollStrategy !== 'priority' && pollStrategy !== 'created') {
    fail('pollStrategy', pollStrategy, "'priority' or 'created'");
  }
}

function fail(option: string, value: unknown, wanted: string): never {
  throw new InvalidOptionError(option, `is ${String(value)}; give ${wanted}`);
}
