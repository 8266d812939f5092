import { SignalboxError } from '../errors.js';

/** The command line, or what it names, is not what the command needs. */
export class UsageError extends SignalboxError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('USAGE', message, options);
  }
}

/** The user, or the system, asked the command to stop before it was done. */
export class InterruptedError extends SignalboxError {
  constructor(message = 'Interrupted.') {
    super('INTERRUPTED', message);
  }
}

/** There is no talking to the database, for a reason that lies outside of signalbox. */
export class DatabaseUnreachableError extends SignalboxError {
  constructor(reason: string, options?: { cause?: unknown }) {
    super(
      'DATABASE_UNREACHABLE',
      `The database cannot be reached: ${reason}. Check --database-url, or DATABASE_URL and PGHOST and its like.`,
      options,
    );
  }
}
