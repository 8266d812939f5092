import type { Progress } from '../graph/context.js';
import type { Run } from '../run/run.js';
import type { RunEvent } from '../run/run-events.js';
import type { StatusCounts } from '../run/run-status.js';
import type { Output } from './output.js';
import { formatCount } from './progress-text.js';
import { clean } from './render-run.js';
import { countItems } from './run-counts.js';
import type { RunView } from './run-view.js';

/** A line for everything that happens to a run; for programs, a JSON line. */
export class EventLines implements RunView {
  readonly #output: Output;
  readonly #run: Run<unknown>;
  readonly #stopping = new AbortController();
  #told: Promise<void> | undefined;

  constructor(output: Output, run: Run<unknown>) {
    this.#output = output;
    this.#run = run;
  }

  start(): void {
    this.#told ??= this.#tell();
  }

  async stop({ isOver }: { readonly isOver: boolean }): Promise<void> {
    if (!isOver) this.#stopping.abort();
    await this.#told;
  }

  async #tell(): Promise<void> {
    try {
      for await (const event of this.#run.events({ signal: this.#stopping.signal })) {
        this.#output.event({ event: { ...event, at: new Date() } });
        this.#output.note(clean(describe(event)));
      }
    } catch (error) {
      // The run goes on unseen; whoever awaits it learns what is wrong with the database.
      this.#output.logger.warn({ err: error }, 'events of the run are no longer told');
    }
  }
}

function describe(event: RunEvent): string {
  switch (event.type) {
    case 'started':
      return line('started', event.node);
    case 'progress':
      return line('progress', `${event.node}  ${howFar(event)}`);
    case 'ended':
      return line(event.statusCode, `${event.node}${remark(event)}`);
    case 'run-ended':
      return line(event.statusCode, `the run${remark(event)}`);
  }
}

const WIDTH = 'completed'.length;

function line(what: string, rest: string): string {
  return `${what.padEnd(WIDTH)}  ${rest}`;
}

/** Of a map by its items, of a task as its handler says. */
function howFar({
  items,
  progress,
}: {
  readonly items?: StatusCounts | undefined;
  readonly progress?: Progress | undefined;
}): string {
  if (items) {
    const { done, failed, total } = countItems(items);
    const failures = failed > 0 ? `, ${formatCount(failed)} failed` : '';
    return `${formatCount(done)}/${formatCount(total)} items${failures}`;
  }
  if (!progress) return '';
  const total = progress.total === undefined ? '' : `/${formatCount(progress.total)}`;
  const message = progress.message === undefined ? '' : `  ${progress.message}`;
  return `${formatCount(progress.done)}${total}${message}`;
}

function remark({ status }: { readonly status: string | null }): string {
  return status === null ? '' : `  ${status}`;
}
