import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { Command } from 'commander';
import { FAILURES } from '../../store/status-code.js';
import type { TaskOutcome, TaskStore } from '../../store/task-store.js';
import { UsageError } from '../cli-errors.js';
import { openContext } from '../context.js';
import { formatDuration } from '../duration.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { digestDirectly } from '../merkle-check.js';
import { merkleActor, merkleTasks, ROOT_TASK_ID } from '../merkle-tasks.js';
import { parseCount } from '../option-parsers.js';
import { Progress } from '../progress.js';
import { countOf, formatCount } from '../progress-text.js';
import { deleteAll } from '../run-start.js';
import { runSession, type Session } from '../session.js';
import { workCounter } from '../work-counter.js';
import { DEFAULT_DRAIN_MS, whileWorking } from '../working.js';

interface DemoOptions {
  workers: number;
}

/** Many: they wait for the disk, or for the database. */
const DEFAULT_WORKERS = 64;

/** `signalbox demo [DIR]`: the Merkle digest of a directory, a task for each file and directory. */
export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'digest a directory tree, a task for each file and directory, and check the result',
    )
    .argument('[dir]', 'the directory', 'node_modules')
    .option('--workers <n>', 'handlers at once', parseCount, DEFAULT_WORKERS)
    .action((dir: string, options: DemoOptions, command: Command) =>
      runSession(command, (session) => demo(session, dir, options)),
    );
}

async function demo(session: Session, dir: string, { workers }: DemoOptions): Promise<ExitCode> {
  const { globals, output } = session;
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`${dir} is not a directory. Name one that is: signalbox demo DIR.`);
  }
  await using context = await openContext(globals, { output, fallback: 'temporary' });
  await context.box.migrate();
  const store = context.store.withPrefix(`demo-${randomUUID().slice(0, 8)}`);
  try {
    return await digestTree(session, store, dir, workers);
  } finally {
    if (!context.isTemporary) await deleteAll(store);
  }
}

async function digestTree(
  session: Session,
  store: TaskStore,
  dir: string,
  workers: number,
): Promise<ExitCode> {
  const beganMs = performance.now();
  const { outcome, tasks } = await performTree(session, store, dir, workers);
  const seconds = (performance.now() - beganMs) / 1_000;
  if (outcome.statusCode !== 'completed') return reportFailures(session, store, dir);
  const direct = digestDirectly(dir);
  await report(session, { dir, digest: String(outcome.result), direct, tasks, seconds });
  return outcome.result === direct ? EXIT.ok : EXIT.failed;
}

async function performTree(
  { output, interrupted }: Session,
  store: TaskStore,
  dir: string,
  workers: number,
): Promise<{ outcome: TaskOutcome; tasks: number }> {
  let walked = 0;
  const onTask = () => {
    interrupted.throwIfAborted();
    walked++;
  };
  await store.insertTasks(merkleTasks(dir, onTask));
  output.note(`${dir}: ${countOf(walked, 'task')} inserted.`);
  const counter = workCounter({ done: 0, failed: 0, total: walked });
  using progress = new Progress({ output, counts: counter.counts });
  const options = {
    workers,
    drainMs: DEFAULT_DRAIN_MS,
    logger: output.logger,
    onReturned: counter.onReturned,
    middleware: [counter.middleware],
  };
  const outcome = await whileWorking(store, [merkleActor(store, dir)], options, () => {
    progress.start();
    return store.waitFor(ROOT_TASK_ID, { signal: interrupted });
  });
  return { outcome, tasks: walked };
}

interface DemoReport {
  readonly dir: string;
  readonly digest: string;
  readonly direct: string;
  readonly tasks: number;
  readonly seconds: number;
}

async function report({ output }: Session, { direct, ...found }: DemoReport): Promise<void> {
  const { dir, digest, tasks, seconds } = found;
  const matches = digest === direct;
  const tasksPerSecond = tasks / seconds;
  if (output.isJson) {
    await output.printJson({ ...found, tasksPerSecond, matches, ...(matches ? {} : { direct }) });
    return;
  }
  await output.print(`sha256 ${digest}  ${dir}`);
  await output.print(
    `${countOf(tasks, 'task')} in ${formatDuration(seconds * 1_000)}: ${formatCount(tasksPerSecond)} tasks/s`,
  );
  await output.print(
    matches
      ? 'The direct computation gives the same digest.'
      : `The direct computation gives ${direct}: the directory changed meanwhile, or there is a fault.`,
  );
}

const SHOWN_FAILURES = 10;

/** What could not be read is what did not fail because of something below it. */
async function reportFailures(
  { output }: Session,
  store: TaskStore,
  dir: string,
): Promise<ExitCode> {
  const filter = {
    statusCodes: FAILURES,
    actions: ['file', 'link'],
    limit: SHOWN_FAILURES,
  };
  const failures: TaskOutcome[] = [];
  for await (const { id, statusCode, status, result } of store.listTasks(filter)) {
    failures.push({ id, statusCode, status, result });
  }
  const unread = failures.map(({ id, status }) => `${id}: ${status}`);
  output.error(new Error([`${dir} could not be digested:`, ...unread].join('\n  ')));
  return EXIT.failed;
}
