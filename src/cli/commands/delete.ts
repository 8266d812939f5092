import { Command } from 'commander';
import { openContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { runSession, type Session } from '../session.js';

interface DeleteCommandOptions {
  spareOwned?: boolean;
}

/** `signalbox delete ID...`. */
export function deleteCommand(): Command {
  return new Command('delete')
    .description('delete tasks and, recursively, waiting ones left without dependencies')
    .argument('<id...>', 'their ids; one that does not exist is no error')
    .option('--spare-owned', 'pass over tasks in progress')
    .action((ids: string[], { spareOwned = false }: DeleteCommandOptions, command: Command) =>
      runSession(command, (session) => remove(session, ids, !spareOwned)),
    );
}

async function remove(
  { globals, output }: Session,
  ids: readonly string[],
  force: boolean,
): Promise<ExitCode> {
  await using context = await openContext(globals, { output });
  const deleted = await context.store.deleteTasks(ids, { force });
  if (output.isJson) await output.printJson({ deleted });
  else await output.print(`${deleted} deleted.`);
  return EXIT.ok;
}
