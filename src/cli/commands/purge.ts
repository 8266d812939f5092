import { Command } from 'commander';
import type { TaskFilter, TaskStore } from '../../store/task-store.js';
import { UsageError } from '../cli-errors.js';
import { openContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import {
  addFilterOptions,
  addLimitOption,
  type FilterOptions,
  toFilter,
} from '../filter-options.js';
import { Progress } from '../progress.js';
import { countOf } from '../progress-text.js';
import { runSession, type Session } from '../session.js';

interface PurgeCommandOptions extends FilterOptions {
  all?: boolean;
  force?: boolean;
  yes?: boolean;
}

/** `signalbox purge`: deletes all tasks that fit. */
export function purgeCommand(): Command {
  const command = new Command('purge').description(
    'delete all tasks that fit, and waiting ones left without dependencies; tasks in progress only with --force',
  );
  return addLimitOption(addFilterOptions(command))
    .option('--all', 'every task, where no other condition is given')
    .option('--force', 'also tasks in progress')
    .option('--yes', 'do it; without, only say how many there are')
    .action((options: PurgeCommandOptions, command: Command) =>
      runSession(command, (session) => purge(session, options)),
    );
}

async function purge(session: Session, options: PurgeCommandOptions): Promise<ExitCode> {
  const { globals, output, interrupted } = session;
  const { all = false, force = false, yes = false } = options;
  const filter = checkFilter(toFilter(options), all);
  await using context = await openContext(globals, { output });
  const total = await countFitting(context.store, filter, force);
  if (!yes) throw new UsageError(`This would delete ${countOf(total, 'task')}. Do it with --yes.`);
  let done = 0;
  using progress = new Progress({ output, counts: () => ({ done, failed: 0, total }) });
  progress.start();
  const deleted = await context.store.purgeTasks(filter, {
    force,
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

/** Those left without dependencies will come on top. */
async function countFitting(
  store: TaskStore,
  { limit = Number.POSITIVE_INFINITY, ...filter }: TaskFilter,
  force: boolean,
): Promise<number> {
  const counts = await store.countTasks(filter);
  const fitting = counts.filter(({ statusCode }) => force || statusCode !== 'in-progress');
  return Math.min(
    limit,
    fitting.reduce((sum, { count }) => sum + count, 0),
  );
}

function checkFilter(filter: TaskFilter, all: boolean): TaskFilter {
  const { limit, ...conditions } = filter;
  const isEmpty = Object.keys(conditions).length === 0;
  if (isEmpty && !all) {
    throw new UsageError(
      'Which tasks? Give --id-prefix, --action, --queue, --status, --updated-since or --ended-before; or --all.',
    );
  }
  return isEmpty ? { ...filter, idPrefix: '' } : filter;
}
