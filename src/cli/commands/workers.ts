import { Command } from 'commander';
import type { LiveWorker } from '../../store/task-store.js';
import { openContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { runSession, type Session } from '../session.js';
import { alignRows } from '../table.js';

/** `signalbox workers`: who is there. */
export function workersCommand(): Command {
  return new Command('workers')
    .description('list the workers that are there, and what they perform')
    .action((_options: object, command: Command) => runSession(command, list));
}

async function list({ globals, output }: Session): Promise<ExitCode> {
  await using context = await openContext(globals, { output });
  const workers = await context.store.listWorkers();
  if (output.isJson) {
    for (const worker of workers) await output.printJson(worker);
  } else {
    for await (const line of alignRows(HEADER, toRows(workers))) await output.print(line);
  }
  return EXIT.ok;
}

const HEADER = ['ACTOR', 'QUEUES', 'ACTIONS', 'SINCE', 'ID'];

async function* toRows(workers: readonly LiveWorker[]): AsyncGenerator<string[], void> {
  for (const { id, actorId, queues, actions, startedAt } of workers) {
    yield [actorId, queues.join(','), actions.join(','), startedAt.toISOString(), id];
  }
}
