import { Command } from 'commander';
import { TaskNotFoundError } from '../../errors.js';
import type { Task } from '../../store/task-store.js';
import { openContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { runSession, type Session } from '../session.js';

/** `signalbox get ID...`: everything that is known of some tasks. */
export function getCommand(): Command {
  return new Command('get')
    .description('show everything that is known of some tasks')
    .argument('<id...>', 'their ids')
    .action((ids: string[], _options: object, command: Command) =>
      runSession(command, (session) => get(session, ids)),
    );
}

async function get({ globals, output }: Session, ids: readonly string[]): Promise<ExitCode> {
  await using context = await openContext(globals, { output });
  const tasks = await context.store.getTasks(ids);
  const found = new Set(tasks.map(({ id }) => id));
  const missing = ids.filter((id) => !found.has(id));
  if (output.isJson) await output.printJson(tasks);
  else if (tasks.length > 0) await output.print(tasks.map(formatTask).join('\n\n'));
  if (missing.length > 0) throw new TaskNotFoundError(missing);
  return EXIT.ok;
}

/** A line for each thing that is known, the names aligned. */
function formatTask(task: Task): string {
  const fields = Object.entries(task).filter(([, value]) => value !== null);
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${formatValue(value)}`).join('\n');
}

function formatValue(value: unknown): string {
  if (typeof value === 'string') return value;
  return value instanceof Date ? value.toISOString() : JSON.stringify(value);
}
