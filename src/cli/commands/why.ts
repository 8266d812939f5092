import { Command } from 'commander';
import { openContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { runSession, type Session } from '../session.js';
import { formatStanding } from '../standing-text.js';

/** `signalbox why ID`: what a task waits for. */
export function whyCommand(): Command {
  return new Command('why')
    .description('say what a task waits for, and what to do about it')
    .argument('<id>', 'its id')
    .action((id: string, _options: object, command: Command) =>
      runSession(command, (session) => why(session, id)),
    );
}

async function why({ globals, output }: Session, id: string): Promise<ExitCode> {
  await using context = await openContext(globals, { output });
  const standing = await context.store.why(id);
  if (output.isJson) await output.printJson(standing);
  else for (const line of formatStanding(standing, Date.now())) await output.print(line);
  return EXIT.ok;
}
