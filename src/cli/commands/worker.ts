import { once } from 'node:events';
import { Command } from 'commander';
import { Scheduler } from '../../schedule/scheduler.js';
import { openContext } from '../context.js';
import { parseDuration } from '../duration.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { signalOf } from '../interrupt.js';
import { loadActors } from '../modules.js';
import { collect, parseCount } from '../option-parsers.js';
import { Progress } from '../progress.js';
import { countOf, formatCount } from '../progress-text.js';
import { runSession, type Session } from '../session.js';
import { workCounter } from '../work-counter.js';
import { DEFAULT_DRAIN_MS, type WorkingOptions, whileWorking } from '../working.js';

interface WorkerOptions {
  workers?: number;
  maxTasks?: number;
  channelSize?: number;
  maxDuration?: number;
  queue?: string[];
  drain?: number;
  schedules: boolean;
}

/** `signalbox worker MODULE...`: performs tasks until it is told to stop. */
export function workerCommand(): Command {
  return new Command('worker')
    .description(
      'perform tasks with the actors that modules export, until told to stop: SIGTERM (exit code 0), Ctrl-C (130)',
    )
    .argument('<module...>', 'modules that export actors: by default, in `actors`, or by any name')
    .option('--workers <n>', 'handlers at once, for each actor (default: 5)', parseCount)
    .option('--max-tasks <n>', 'tasks to own at a time (default: 500)', parseCount)
    .option('--channel-size <n>', 'owned tasks that may wait in memory (default: 1000)', parseCount)
    .option(
      '--max-duration <duration>',
      'how soon the tasks of a crashed worker come back (default: 30m)',
      parseDuration,
    )
    .option(
      '--queue <name>',
      'work on this queue (may be given several times; default: "default")',
      collect,
    )
    .option(
      '--drain <duration>',
      'how long handlers may go on when told to stop; what is left then is handed back (default: 5s)',
      parseDuration,
    )
    .option('--no-schedules', 'fire no schedules, only perform tasks')
    .action((modules: string[], options: WorkerOptions, command: Command) =>
      runSession(command, (session) => work(session, modules, options)),
    );
}

async function work(
  session: Session,
  modules: readonly string[],
  options: WorkerOptions,
): Promise<ExitCode> {
  const { globals, output, interrupted } = session;
  const actors = await loadActors(modules);
  await using context = await openContext(globals, { output });
  // Asks for the schema's version: a worker that cannot work ends at once.
  await context.store.getTasks([]);
  const counter = workCounter({ done: 0, failed: 0, total: null });
  const names = actors.map(({ id }) => id);
  output.note(`Working as ${names.join(', ')}; Ctrl-C stops.`);
  output.event({ working: names });
  using progress = new Progress({ output, counts: counter.counts });
  const workingOptions = {
    ...toWorkingOptions(options),
    logger: output.logger,
    onReturned: counter.onReturned,
    middleware: [counter.middleware],
  };
  await using scheduler = new Scheduler(context.store, { logger: output.logger });
  if (options.schedules) scheduler.start();
  await whileWorking(context.store, actors, workingOptions, async () => {
    progress.start();
    if (!interrupted.aborted) await once(interrupted, 'abort');
  });
  progress.stop();
  const { done, failed } = counter.counts();
  if (output.isJson) await output.printJson({ done, failed });
  else await output.print(`${countOf(done, 'task')} done, ${formatCount(failed)} of them failed.`);
  // Who asks with SIGTERM, an init system, has got what it asked for.
  return signalOf(interrupted) === 'SIGTERM' ? EXIT.ok : EXIT.interrupted;
}

function toWorkingOptions(options: WorkerOptions): Omit<WorkingOptions, 'middleware'> {
  const { workers, maxTasks, channelSize, maxDuration, queue, drain = DEFAULT_DRAIN_MS } = options;
  return {
    drainMs: drain,
    ...(workers === undefined ? {} : { workers }),
    ...(maxTasks === undefined ? {} : { maxTasks }),
    ...(channelSize === undefined ? {} : { channelSize }),
    ...(maxDuration === undefined ? {} : { maxDurationMs: maxDuration }),
    ...(queue === undefined ? {} : { queues: queue }),
  };
}
