import { Command } from 'commander';
import type { Task, TaskFilter } from '../../store/task-store.js';
import { openContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import {
  addFilterOptions,
  addLimitOption,
  type FilterOptions,
  toFilter,
} from '../filter-options.js';
import { runSession, type Session } from '../session.js';
import { alignRows } from '../table.js';

/** `signalbox list`: tasks, in the order of their ids, read as they are printed. */
export function listCommand(): Command {
  const command = new Command('list').description(
    'list tasks in the order of their ids; with --json, one JSON line each',
  );
  return addLimitOption(addFilterOptions(command)).action(
    (options: FilterOptions, command: Command) =>
      runSession(command, (session) => list(session, toFilter(options))),
  );
}

async function list(
  { globals, output, interrupted }: Session,
  filter: TaskFilter,
): Promise<ExitCode> {
  await using context = await openContext(globals, { output });
  const tasks = until(interrupted, context.store.listTasks(filter));
  if (output.isJson) {
    for await (const task of tasks) await output.printJson(task);
  } else {
    for await (const line of alignRows(HEADER, toRows(tasks))) await output.print(line);
  }
  return EXIT.ok;
}

const HEADER = ['ID', 'STATUS', 'ACTION', 'QUEUE', 'PRIORITY', 'SIGNALS', 'TRIES', 'REMARK'];

async function* toRows(tasks: AsyncIterable<Task>): AsyncGenerator<string[], void> {
  for await (const task of tasks) {
    yield [
      task.id,
      task.statusCode,
      task.action ?? '(milestone)',
      task.queue,
      String(task.priority),
      `${task.numSignals}/${task.totalDependencies}`,
      task.maxTries === null ? String(task.numTries) : `${task.numTries}/${task.maxTries}`,
      (task.status ?? '').replace(/\s+/g, ' '),
    ];
  }
}

async function* until<T>(signal: AbortSignal, items: AsyncIterable<T>): AsyncGenerator<T, void> {
  for await (const item of items) {
    signal.throwIfAborted();
    yield item;
  }
}
