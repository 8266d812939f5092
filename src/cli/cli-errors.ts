import { SignalboxError } from '../errors.js';

/** The command line, or what it names, is not what the command needs. */
export class UsageError extends SignalboxError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('USAGE', message, options);
  }
}

/** The user, or the system, asked the command to stop before it was done. */
export class InterruptedError extends SignalboxError {
  /** What it was asked with. */
  readonly signal: NodeJS.Signals | undefined;

  constructor(message = 'Interrupted.', signal?: NodeJS.Signals) {
    super('INTERRUPTED', message);
    this.signal = signal;
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
