import type { TaskOutcome, WatchReport } from '../../../src/store/task-store.js';

/** The outcome that FakeTasks gives a task that it ends. */
export function outcomeOf(id: string, status = 'done'): TaskOutcome {
  return { id, statusCode: 'completed', status, result: null };
}

/** A database of tasks, as far as `watch` sees one: records the calls, answers late or not at all when told to. */
export class FakeTasks {
  /** The ids of each call, in order. */
  readonly calls: string[][] = [];
  readonly channels = new Set<string>();
  mostCallsAtOnce = 0;
  /** What every call rejects with, if not null. */
  failure: Error | null = null;
  readonly #reports = new Map<string, WatchReport>();
  #numCallsNow = 0;
  #gate: Promise<void> = Promise.resolve();

  add(...ids: string[]): void {
    for (const id of ids) this.#reports.set(id, { id, state: 'watched' });
  }

  end(id: string, status?: string): void {
    this.#reports.set(id, { id, state: 'ended', outcome: outcomeOf(id, status) });
  }

  lock(id: string): void {
    this.#reports.set(id, { id, state: 'busy' });
  }

  delete(id: string): void {
    this.#reports.delete(id);
  }

  /** Calls look at once, but answer only when the function returned is called. */
  holdAnswers(): () => void {
    let release = () => {};
    this.#gate = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  readonly watch = async (ids: string[], channel: string): Promise<WatchReport[]> => {
    this.calls.push(ids);
    this.channels.add(channel);
    this.#numCallsNow += 1;
    this.mostCallsAtOnce = Math.max(this.mostCallsAtOnce, this.#numCallsNow);
    const { failure } = this;
    const reports = ids.map((id): WatchReport => this.#reports.get(id) ?? { id, state: 'missing' });
    await this.#gate;
    this.#numCallsNow -= 1;
    if (failure !== null) throw failure;
    return reports;
  };
}
