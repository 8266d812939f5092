import { basename, extname } from 'node:path';
import { isFailure } from '../../store/status-code.js';
import type { Actor } from '../../worker/actor.js';
import { builtinActor } from '../builtin-actor.js';
import { UsageError } from '../cli-errors.js';
import { openContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { loadActors, type TaskSource } from '../modules.js';
import { performRun } from '../perform-run.js';
import { GRAPH_OPTIONS, type RunOptions, refuseOptions } from '../run-options.js';
import { formatReport } from '../run-report.js';
import { scanRun } from '../run-scan.js';
import { startRun } from '../run-start.js';
import type { Session } from '../session.js';
import { DEFAULT_DRAIN_MS } from '../working.js';
import type { RunSource } from './run-source.js';

/** The tasks of a file, and the actors that come with them. */
interface Tasks {
  readonly tasks: TaskSource;
  readonly actors: readonly Actor[];
}

/** Tasks that are listed, in a namespace of their own, with a milestone that ends when all have. */
export class TaskRun implements RunSource {
  readonly #file: string;
  readonly #what: string;
  readonly #read: (options: RunOptions) => Tasks | Promise<Tasks>;

  /** `what`: for messages. */
  constructor(file: string, what: string, read: (options: RunOptions) => Tasks | Promise<Tasks>) {
    this.#file = file;
    this.#what = what;
    this.#read = read;
  }

  async run(session: Session, options: RunOptions): Promise<ExitCode> {
    refuseOptions(options, GRAPH_OPTIONS, this.#what);
    const { globals, output, interrupted } = session;
    const { exec = false, fresh = false, workers, timeout, maxDuration } = options;
    const runId = checkRunId(options.runId ?? defaultRunId(this.#file));
    const source = await this.#read(options);
    const named = await loadActors(options.actor ?? []);
    const actors = withBuiltins([...source.actors, ...named], exec);
    await using context = await openContext(globals, { output, fallback: 'kept' });
    await context.box.migrate();
    const store = context.store.withPrefix(runId);
    const performed = new Set(actors.flatMap(({ actions }) => actions));
    const scan = scanRun(source.tasks, { performed, interrupted });
    const start = await startRun(store, scan, { runId, fresh });
    const report = await performRun(session, store, actors, {
      runId,
      start,
      isKept: !context.isTemporary,
      workers,
      maxDurationMs: maxDuration,
      drainMs: options.drain ?? DEFAULT_DRAIN_MS,
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    });
    if (output.isJson) await output.printJson(report);
    else for (const line of formatReport(report)) await output.print(line);
    return report.failed.some(isFailure) ? EXIT.failed : EXIT.ok;
  }
}

/** The namespace that a file's tasks get unless another is given: its base name. Dots, which part namespaces, become dashes. */
export function defaultRunId(file: string): string {
  return basename(file, extname(file)).replaceAll('.', '-') || 'run';
}

/** A dot would make the run's namespace lie inside another's. */
function checkRunId(runId: string): string {
  if (runId !== '' && !runId.includes('.')) return runId;
  throw new UsageError(
    `The run id ${JSON.stringify(runId)} must not be empty or hold a dot. Choose another with --run-id.`,
  );
}

/** Actors of the user's go before built-in ones of the same name. */
function withBuiltins(actors: readonly Actor[], allowExec: boolean): Actor[] {
  const taken = new Set<string>();
  for (const action of actors.flatMap((actor) => actor.actions)) {
    if (taken.has(action))
      throw new UsageError(`Two actors perform ${JSON.stringify(action)}; a run needs one.`);
    taken.add(action);
  }
  const builtin = builtinActor({ allowExec, except: taken });
  return builtin ? [...actors, builtin] : [...actors];
}
