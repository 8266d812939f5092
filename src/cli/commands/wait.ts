import { Command } from 'commander';
import type { TaskOutcome } from '../../store/task-store.js';
import { openContext } from '../context.js';
import { parseDuration } from '../duration.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { runSession, type Session } from '../session.js';

interface WaitCommandOptions {
  timeout?: number;
}

/** `signalbox wait ID...`: blocks until the tasks have ended. */
export function waitCommand(): Command {
  return new Command('wait')
    .description('wait until tasks have ended; exit code 0 only if all of them completed')
    .argument('<id...>', 'their ids')
    .option(
      '--timeout <duration>',
      'give up after this time, like 90s or 5m: exit code 4',
      parseDuration,
    )
    .action((ids: string[], options: WaitCommandOptions, command: Command) =>
      runSession(command, (session) => wait(session, ids, options)),
    );
}

async function wait(
  { globals, output, interrupted }: Session,
  ids: readonly string[],
  { timeout }: WaitCommandOptions,
): Promise<ExitCode> {
  await using context = await openContext(globals, { output });
  const options = { signal: interrupted, ...(timeout === undefined ? {} : { timeoutMs: timeout }) };
  const outcomes = await context.store.waitFor([...new Set(ids)], options);
  if (output.isJson) await output.printJson(outcomes);
  else for (const outcome of outcomes) await output.print(formatOutcome(outcome));
  return outcomes.every(({ statusCode }) => statusCode === 'completed') ? EXIT.ok : EXIT.failed;
}

function formatOutcome({ id, statusCode, status, result }: TaskOutcome): string {
  const remark = status === null ? '' : `  ${status}`;
  return `${id}  ${statusCode}${remark}${result === null ? '' : `  ${JSON.stringify(result)}`}`;
}
