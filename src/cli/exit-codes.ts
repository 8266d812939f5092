import { SignalboxError } from '../errors.js';

/** What the process ends with. Stable: scripts rely on it. */
export const EXIT = Object.freeze({
  ok: 0,
  failed: 1,
  usage: 2,
  database: 3,
  timeout: 4,
  interrupted: 130,
});

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `
Exit codes:
  0    fine
  1    a task awaited did not complete (aborted, skipped, cancelled), or something unexpected failed
  2    wrong usage or input
  3    no database is named, it cannot be reached, or its schema does not fit
  4    the time was up
  130  interrupted`;

const BY_CODE: Readonly<Record<string, ExitCode>> = Object.freeze({
  CONNECTION_SETTINGS: EXIT.database,
  SCHEMA_VERSION: EXIT.database,
  DATABASE_UNREACHABLE: EXIT.database,
  EMBEDDED_SERVER: EXIT.database,
  WAIT_TIMEOUT: EXIT.timeout,
  INTERRUPTED: EXIT.interrupted,
  USAGE: EXIT.usage,
  INVALID_FILE: EXIT.usage,
  INVALID_OPTION: EXIT.usage,
  INVALID_TASK: EXIT.usage,
  INVALID_BODY: EXIT.usage,
  DUPLICATE_TASK: EXIT.usage,
  UNIQUE_KEY_TAKEN: EXIT.usage,
  UNKNOWN_TARGET: EXIT.usage,
  TARGET_STARTED: EXIT.usage,
  CYCLE: EXIT.usage,
  TASK_NOT_FOUND: EXIT.usage,
  SCHEDULE_NOT_FOUND: EXIT.usage,
  INVALID_SCHEDULE: EXIT.usage,
  INVALID_GRAPH: EXIT.usage,
  INVALID_VALUE: EXIT.usage,
  RUN_EXISTS: EXIT.usage,
  RUN_INPUT_MISMATCH: EXIT.usage,
  UNKNOWN_NODE: EXIT.usage,
});

const UNREACHABLE_ERRNOS: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
]);

/** SQLSTATE classes: connection, authorisation, no such database, too many connections, shutting down. */
const UNREACHABLE_STATES = /^(08...|28...|3D000|53300|57P0.)$/;

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof SignalboxError ? (BY_CODE[error.code] ?? EXIT.failed) : EXIT.failed;
}

/** Whether this is the operating system's or Postgres' way of saying that there is no connection to be had. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // Node tries every address of a host, and gives the failures together.
  if (error instanceof AggregateError) return error.errors.some(isUnreachable);
  // The socket of a server on this machine: not there, or not ours.
  if ('syscall' in error && error.syscall === 'connect') return true;
  if (!('code' in error) || typeof error.code !== 'string') return false;
  return UNREACHABLE_ERRNOS.has(error.code) || UNREACHABLE_STATES.test(error.code);
}
