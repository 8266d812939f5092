import { UsageError } from '../cli-errors.js';
import { openContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { chooseGraph } from '../graph-modules.js';
import { checkHandlers } from '../graph-needs.js';
import { reportGraphRun } from '../graph-report.js';
import { startGraph } from '../graph-start.js';
import type { Exports } from '../load-module.js';
import { handlersOf, loadHandlers } from '../modules.js';
import { performGraph } from '../perform-graph.js';
import { readInput } from '../read-input.js';
import { type RunOptions, refuseOptions, TASK_OPTIONS } from '../run-options.js';
import type { Session } from '../session.js';
import { DEFAULT_DRAIN_MS } from '../working.js';
import type { RunSource } from './run-source.js';

/** A module that exports graphs, one of which is run. */
export class GraphSource implements RunSource {
  readonly #file: string;
  readonly #exports: Exports;

  constructor(file: string, exports: Exports) {
    this.#file = file;
    this.#exports = exports;
  }

  async run(session: Session, options: RunOptions): Promise<ExitCode> {
    refuseOptions(options, TASK_OPTIONS, 'a graph');
    const { globals, output } = session;
    const { detach = false, fresh = false, runId } = options;
    const { graph, graphs } = chooseGraph(this.#exports, this.#file, options.graph);
    const handlers = {
      ...handlersOf(this.#exports),
      ...(await loadHandlers(options.handlers ?? [])),
    };
    if (!detach) checkHandlers(graph, handlers);
    const input = options.input === undefined ? undefined : await readInput(options.input);
    await using context = await openContext(globals, { output, fallback: 'kept' });
    const { store, isTemporary } = context;
    if (detach && isTemporary) {
      throw new UsageError(
        'With --detach a run needs a database that outlives the command: --embedded=DIR.',
      );
    }
    await context.box.migrate();
    const { run, state } = await startGraph(store, graph, { input, runId, fresh });
    if (detach) {
      if (output.isJson) await output.printJson({ run: run.id, state });
      else await output.print(run.id);
      return EXIT.ok;
    }
    await performGraph(session, store, {
      run,
      state,
      graph,
      graphs,
      handlers,
      goOn: isTemporary
        ? null
        : `signalbox run ${this.#file} --run-id ${run.id.slice(graph.name.length + 1)}`,
      isWatched: options.watch ?? false,
      workers: options.workers,
      maxDurationMs: options.maxDuration,
      drainMs: options.drain ?? DEFAULT_DRAIN_MS,
      timeoutMs: options.timeout,
    });
    return await reportGraphRun(session, store, { run, state, graph, file: this.#file });
  }
}
