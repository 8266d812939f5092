import { onTestFinished } from 'vitest';
import {
  type ActionManager,
  type GraphDefinition,
  type GraphWorkerOptions,
  graphWorker,
  type TaskStore,
} from '../../src/index.js';

/** A started worker of graphs, stopped at the end of the test. */
export async function startWorker(
  store: TaskStore,
  graphs: readonly GraphDefinition[],
  options: GraphWorkerOptions = {},
): Promise<ActionManager> {
  const worker = graphWorker(store, graphs, { workers: 20, waitTimeMs: 50, ...options });
  onTestFinished(() => worker.stop({ timeoutMs: 0 }));
  await worker.start();
  return worker;
}

/** A handler that waits until the test lets it go on, and tells when it has begun. */
export class Gate<T> {
  readonly begun: Promise<void>;
  open: (value: T) => void = () => {};
  #begin: () => void = () => {};
  readonly #opened: Promise<T>;

  constructor() {
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
    this.#opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }

  pass(): Promise<T> {
    this.#begin();
    return this.#opened;
  }
}
