import { Command } from 'commander';
import type { TaskCount, TaskFilter } from '../../store/task-store.js';
import { openContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { addFilterOptions, type FilterOptions, toFilter } from '../filter-options.js';
import { countOf, formatCount } from '../progress-text.js';
import { runSession, type Session } from '../session.js';
import { alignRows } from '../table.js';

/** `signalbox count`: how many tasks there are, and how they stand. */
export function countCommand(): Command {
  const command = new Command('count').description(
    'count tasks by queue, action and status; with --json, one document',
  );
  return addFilterOptions(command).action((options: FilterOptions, command: Command) =>
    runSession(command, (session) => count(session, toFilter(options))),
  );
}

async function count({ globals, output }: Session, filter: TaskFilter): Promise<ExitCode> {
  await using context = await openContext(globals, { output });
  const counts = await context.store.countTasks(filter);
  const total = counts.reduce((sum, one) => sum + one.count, 0);
  if (output.isJson) {
    await output.printJson({ total, counts });
  } else {
    for await (const line of alignRows(HEADER, toRows(counts))) await output.print(line);
    await output.print(`${countOf(total, 'task')} in all.`);
  }
  return EXIT.ok;
}

const HEADER = ['QUEUE', 'ACTION', 'STATUS', 'COUNT'];

async function* toRows(counts: readonly TaskCount[]): AsyncGenerator<string[], void> {
  for (const { queue, action, statusCode, count } of counts) {
    yield [queue, action ?? '(milestone)', statusCode, formatCount(count)];
  }
}
