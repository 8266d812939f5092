import type { TaskStore } from '../store/task-store.js';

type Asynchronous<T> = {
  [Name in keyof T]: T[Name] extends (...args: never[]) => Promise<unknown> | AsyncIterable<unknown>
    ? Name
    : never;
}[keyof T];

/** The calls of a store that can fail. */
export type StoreCall = Asynchronous<TaskStore>;

export interface FaultOptions {
  /** How many calls. Default 1; Infinity: all until `clear`. */
  readonly times?: number;
  /** `after`: the call is carried out, and its result is lost on the way back. Default `before`. */
  readonly when?: 'before' | 'after';
}

/** What a lost connection looks like to a caller, unless a test gives an error of its own. */
export class ConnectionLostFault extends Error {
  readonly code = 'ECONNRESET';

  constructor(call: string) {
    super(`Connection terminated unexpectedly (simulated, at ${call})`);
    this.name = 'ConnectionLostFault';
  }
}

interface Rule {
  readonly when: 'before' | 'after';
  readonly meet: (call: string) => Promise<void>;
  left: number;
}

/**
 * What is to go wrong in the calls of stores made by `withFaults`, whichever of them is called.
 *
 * Rules for one call apply in the order in which they were given, one at a time. Waits for ends (`waitFor`, `newWaiter`)
 * outlive a lost connection, as they do in truth.
 */
export class Faults {
  readonly #rules = new Map<string, Rule[]>();
  readonly #calls = new Map<string, number>();
  readonly #inFlight = new Set<() => void>();
  #isLost = false;

  /** The next call rejects, by default as if the connection had been lost. */
  failNext(call: StoreCall, error?: Error, options: FaultOptions = {}): this {
    const meet = (name: string) => Promise.reject(error ?? new ConnectionLostFault(name));
    return this.#add(call, meet, options);
  }

  /** The next call waits for this promise; with `after`, its result does. */
  holdNext(call: StoreCall, until: Promise<unknown>, options: FaultOptions = {}): this {
    return this.#add(call, () => until.then(() => {}), options);
  }

  /** Calls in flight reject at once, carried out or not, and so does every call until `restoreConnection`. */
  loseConnection(): this {
    this.#isLost = true;
    for (const lose of [...this.#inFlight]) lose();
    return this;
  }

  restoreConnection(): this {
    this.#isLost = false;
    return this;
  }

  /** No rules any more, and a connection. */
  clear(): this {
    this.#rules.clear();
    return this.restoreConnection();
  }

  /** How often it was called, those that failed included. */
  numCalls(call: StoreCall): number {
    return this.#calls.get(call) ?? 0;
  }

  /** Has a call made as the rules say. For `withFaults`. */
  async meet<T>(call: StoreCall, perform: () => Promise<T>): Promise<T> {
    this.#calls.set(call, this.numCalls(call) + 1);
    const rule = this.#take(call);
    const outcome = async (): Promise<T> => {
      if (rule?.when === 'before') await rule.meet(call);
      const result = await perform();
      if (rule?.when === 'after') await rule.meet(call);
      return result;
    };
    return outlivesLoss(call) ? outcome() : this.#unlessLost(call, outcome);
  }

  #add(call: StoreCall, meet: Rule['meet'], { times = 1, when = 'before' }: FaultOptions): this {
    this.#rules.set(call, [...(this.#rules.get(call) ?? []), { when, meet, left: times }]);
    return this;
  }

  #take(call: string): Rule | undefined {
    const rules = this.#rules.get(call);
    const [rule] = rules ?? [];
    if (rule && --rule.left <= 0) rules?.shift();
    return rule;
  }

  #unlessLost<T>(call: string, outcome: () => Promise<T>): Promise<T> {
    if (this.#isLost) return Promise.reject(new ConnectionLostFault(call));
    return new Promise((resolve, reject) => {
      const lose = () => reject(new ConnectionLostFault(call));
      this.#inFlight.add(lose);
      outcome()
        .then(resolve, reject)
        .finally(() => this.#inFlight.delete(lose));
    });
  }
}

function outlivesLoss(call: StoreCall): boolean {
  return call === 'waitFor' || call === 'newWaiter';
}
