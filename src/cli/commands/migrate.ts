import { Command } from 'commander';
import { openContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { runSession, type Session } from '../session.js';

/** `signalbox migrate`: creates or upgrades the schema. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('create the schema, or bring it to the version of this client')
    .action((_options: object, command: Command) => runSession(command, migrate));
}

async function migrate({ globals, output }: Session): Promise<ExitCode> {
  await using context = await openContext(globals, { output });
  const report = await context.box.migrate();
  const { schema, fromVersion, toVersion } = report;
  if (output.isJson) await output.printJson(report);
  else if (fromVersion === toVersion)
    await output.print(`Schema ${schema} has version ${toVersion} already.`);
  else if (fromVersion === 0)
    await output.print(`Schema ${schema} created at version ${toVersion}.`);
  else await output.print(`Schema ${schema} upgraded from version ${fromVersion} to ${toVersion}.`);
  return EXIT.ok;
}
