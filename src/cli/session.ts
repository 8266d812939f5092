import type { Command } from 'commander';
import { DatabaseUnreachableError, InterruptedError } from './cli-errors.js';
import { describeError } from './error-report.js';
import { type ExitCode, exitCodeOf, isUnreachable } from './exit-codes.js';
import { type GlobalOptions, readGlobalOptions } from './global-options.js';
import { catchInterrupts } from './interrupt.js';
import { Output } from './output.js';

/** What a command works with. */
export interface Session {
  readonly globals: GlobalOptions;
  readonly output: Output;
  /** Fires when the user wants the command to stop. */
  readonly interrupted: AbortSignal;
}

/** Runs a command: gives it its session, reports what it throws, and sets the process's exit code. Never rejects. */
export async function runSession(
  command: Command,
  work: (session: Session) => Promise<ExitCode>,
): Promise<void> {
  const globals = readGlobalOptions(command);
  const { stdout, stderr } = process;
  const output = new Output({ stdout, stderr, isJson: globals.isJson });
  using interrupt = catchInterrupts(() => {
    output.note('Stopping; once more to end at once.');
  });
  try {
    process.exitCode = await work({ globals, output, interrupted: interrupt.signal });
  } catch (error) {
    const reported = toReported(error, interrupt.signal);
    output.error(reported);
    process.exitCode = exitCodeOf(reported);
  }
}

/** What fails once the user has asked to stop, fails because of that. */
function toReported(error: unknown, interrupted: AbortSignal): unknown {
  if (error instanceof InterruptedError) return error;
  if (interrupted.aborted) return interrupted.reason;
  if (!isUnreachable(error)) return error;
  return new DatabaseUnreachableError(describeError(error).message, { cause: error });
}
