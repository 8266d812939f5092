import { Command } from 'commander';
import { openContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { runSession, type Session } from '../session.js';

/** `signalbox delete ID...`. */
export function deleteCommand(): Command {
  return new Command('delete')
    .description('delete tasks and, recursively, waiting ones left without dependencies')
    .argument('<id...>', 'their ids; one that does not exist is no error')
    .action((ids: string[], _options: object, command: Command) =>
      runSession(command, (session) => remove(session, ids)),
    );
}

async function remove({ globals, output }: Session, ids: readonly string[]): Promise<ExitCode> {
  await using context = await openContext(globals, { output });
  const deleted = await context.store.deleteTasks(ids);
  if (output.isJson) await output.printJson({ deleted });
  else await output.print(`${deleted} deleted.`);
  return EXIT.ok;
}
