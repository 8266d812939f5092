import { SignalboxError } from '../errors.js';

/**
 * Why there is no server. `unsupported-platform`: no binaries for this machine. `binaries`: they are
 * installed but cannot be used. `data-directory`: it is not a cluster or cannot be reached. `start-failed`:
 * initdb or the server gave up, the message ends with what it logged. `start-timeout`: it did not answer in
 * time. `unreachable`: a server that was running already owns the data directory and cannot be used.
 */
export type EmbeddedServerFailure =
  | 'unsupported-platform'
  | 'binaries'
  | 'data-directory'
  | 'start-failed'
  | 'start-timeout'
  | 'unreachable';

/** The embedded Postgres server could not be started or reached; `reason` says at which point. */
export class EmbeddedServerError extends SignalboxError {
  readonly reason: EmbeddedServerFailure;

  constructor(reason: EmbeddedServerFailure, message: string, options?: { cause?: unknown }) {
    super('EMBEDDED_SERVER', message, options);
    this.reason = reason;
  }
}
