import type { Progress, TaskStore } from '../store/task-store.js';
import type { Job } from './job.js';

/*
 * Tells the database how far handlers say that they are.
 *
 * The latest report of each task is kept, and all of them go in one statement, at most once an interval: the first at once,
 * those that come after it when the interval is over. A handler that reports at each of a million rows costs no more than
 * that. A report is no promise: one that fails is sent with the next, unless a later one has come or the task was decided; the
 * last before a return is most often not sent at all, as the return takes its place.
 *
 * A job that does not report is never seen here.
 */

interface ProgressBatcherOptions {
  readonly store: Pick<TaskStore, 'reportProgress'>;
  readonly intervalMs: number;
  readonly onFailed: (error: unknown, numTasks: number) => void;
}

/** Of a message: it is for people, and written each time. */
const MAX_MESSAGE_CHARACTERS = 1_000;
/** Also the half of a surrogate pair that was cut. */
const REFUSED = /\p{Surrogate}|\0/gu;

export class ProgressBatcher {
  readonly #options: ProgressBatcherOptions;
  #latest = new Map<Job, Progress>();
  /** Set from when something is to be sent, or was sent less than an interval ago. */
  #timer: NodeJS.Timeout | undefined;
  #isSending = false;
  #isStopped = false;

  constructor(options: ProgressBatcherOptions) {
    this.#options = options;
  }

  /** Takes the place of an earlier report that was not sent yet. */
  add(job: Job, report: Progress): void {
    if (job.isDecided || this.#isStopped) return;
    this.#latest.set(job, toSendable(report));
    // Those of one turn of the event loop go together.
    if (!this.#timer && !this.#isSending) this.#schedule(0);
  }

  /** Sends nothing any more. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(inMs: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#send();
    }, inMs);
    // Nobody's process stays alive for this.
    this.#timer.unref();
  }

  async #send(): Promise<void> {
    const { store, intervalMs, onFailed } = this.#options;
    const reports = [...this.#latest].filter(([job]) => !job.isDecided);
    this.#latest = new Map();
    // An interval without a report: the next one goes at once.
    if (reports.length === 0) return;
    this.#isSending = true;
    try {
      await store.reportProgress(
        reports.map(([{ task }, progress]) => ({ id: task.id, token: task.token, progress })),
      );
    } catch (error) {
      onFailed(error, reports.length);
      for (const [job, report] of reports) {
        if (!this.#latest.has(job)) this.#latest.set(job, report);
      }
    }
    this.#isSending = false;
    this.#schedule(intervalMs);
  }
}

/** What Postgres would refuse would cost the other reports, too. */
function toSendable({ done, total, message }: Progress): Progress {
  return {
    done: Number.isFinite(done) ? done : 0,
    ...(Number.isFinite(total) ? { total } : {}),
    ...(message === undefined ? {} : { message: toText(message) }),
  };
}

function toText(message: string): string {
  return String(message).slice(0, MAX_MESSAGE_CHARACTERS).replaceAll(REFUSED, '\ufffd');
}
