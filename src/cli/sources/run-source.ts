import type { ExitCode } from '../exit-codes.js';
import type { RunOptions } from '../run-options.js';
import type { Session } from '../session.js';

/** What `signalbox run` was given: one kind of file. */
export interface RunSource {
  /** Starts what the file says, or goes on with it, waits for its end and reports it. */
  run(session: Session, options: RunOptions): Promise<ExitCode>;
}
