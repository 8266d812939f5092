import { Command } from 'commander';
import type { CleanOptions, StatusCode } from '../../store/task-store.js';
import { openContext } from '../context.js';
import { parseDuration } from '../duration.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { collectStatus } from '../option-parsers.js';
import { Progress } from '../progress.js';
import { countOf } from '../progress-text.js';
import { runSession, type Session } from '../session.js';

interface CleanCommandOptions {
  olderThan?: number;
  idPrefix?: string;
  status?: StatusCode[];
}

/** `signalbox clean`: deletes what ended long ago. */
export function cleanCommand(): Command {
  return new Command('clean')
    .description(
      'delete whole runs that ended long enough ago: a task and all below it, as paths, with nothing after them unfinished',
    )
    .option('--older-than <duration>', 'since the end of the run (default: 15m)', parseDuration)
    .option('--id-prefix <text>', "only runs whose first task's id begins with TEXT")
    .option(
      '--status <code>',
      'only runs of which every task ended so (may be given several times)',
      collectStatus,
    )
    .action((options: CleanCommandOptions, command: Command) =>
      runSession(command, (session) => clean(session, options)),
    );
}

async function clean(
  { globals, output, interrupted }: Session,
  options: CleanCommandOptions,
): Promise<ExitCode> {
  await using context = await openContext(globals, { output });
  let done = 0;
  using progress = new Progress({ output, counts: () => ({ done, failed: 0, total: null }) });
  progress.start();
  const deleted = await context.store.cleanTasks({
    ...toCleanOptions(options),
    signal: interrupted,
    onProgress: (numDeleted) => {
      done = numDeleted;
    },
  });
  progress.stop();
  if (output.isJson) await output.printJson({ deleted });
  else await output.print(`${countOf(deleted, 'task')} deleted.`);
  return EXIT.ok;
}

function toCleanOptions({ olderThan, idPrefix, status }: CleanCommandOptions): CleanOptions {
  return {
    ...(olderThan === undefined ? {} : { minAgeMs: olderThan }),
    ...(idPrefix === undefined ? {} : { idPrefix }),
    ...(status === undefined ? {} : { statusCodes: status }),
  };
}
