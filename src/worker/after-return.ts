import type { ReturnReport, TaskReturn } from '../store/task-store.js';
import type { ReturnedHook, ReturnedOutcome } from './actor.js';
import type { Job } from './job.js';
import type { Notices } from './manager-events.js';

interface AfterReturnOptions {
  readonly notices: Notices;
  readonly onReturned: ReturnedHook | undefined;
}

/**
 * Tells hooks and listeners what became of tries, once their returns are committed. Those handed back are not told of:
 * nothing became of them. Nobody waits for a hook but `settled`.
 */
export class AfterReturn {
  readonly #options: AfterReturnOptions;
  readonly #running = new Set<Promise<void>>();

  constructor(options: AfterReturnOptions) {
    this.#options = options;
  }

  returned(job: Job, sent: TaskReturn, report: ReturnReport & { ok: true }): void {
    if (job.isHandedBack) return;
    const { notices, onReturned } = this.#options;
    const ofAction = job.settings?.onReturned;
    if (onReturned || ofAction) {
      const outcome = toOutcome(sent, report);
      if (onReturned) this.#call(onReturned, job, outcome);
      if (ofAction) this.#call(ofAction, job, outcome);
    }
    if (notices.has('returned')) {
      const { task, durationMs } = job;
      notices.emit('returned', { task, outcome: toOutcome(sent, report), durationMs });
    }
    if (sent.retryDelayMs === undefined || report.statusCode !== 'pending') return;
    const { task, error } = job;
    notices.emit('retried', { task, delayMs: sent.retryDelayMs, error });
  }

  /** Resolves once no hook runs. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #call(hook: ReturnedHook, job: Job, outcome: ReturnedOutcome): void {
    try {
      const promise = hook(job.task, outcome, job.error);
      if (!promise) return;
      const running = Promise.resolve(promise)
        .catch((err) => this.#failed(err, job))
        .then(() => {
          this.#running.delete(running);
        });
      this.#running.add(running);
    } catch (err) {
      this.#failed(err, job);
    }
  }

  #failed(err: unknown, { task }: Job): void {
    this.#options.notices.logger.error({ err, id: task.id }, 'an onReturned hook failed');
  }
}

function toOutcome(
  sent: TaskReturn,
  { statusCode }: { statusCode: ReturnedOutcome['statusCode'] },
) {
  const { status, result, startAfter } = sent;
  return { statusCode, status, result, startAfter };
}
