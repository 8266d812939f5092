import type { TaskInput } from '../src/index.js';

/** Tasks to be performed by an empty handler. Edges go by `toSignalAfter`. */
export type Workload = () => Iterable<TaskInput>;

/** How long the parts of a run took. */
export interface Timing {
  readonly insertMs: number;
  readonly performMs: number;
}

/** One system that can take a workload from insert to the last task performed. */
export interface Contestant {
  readonly name: string;
  /** Inserts `size` tasks, performs them all, and leaves an empty database. */
  run(workload: Workload, size: number): Promise<Timing>;
  close(): Promise<void>;
}

/** Opens a contestant on a Postgres server. */
export type OpenContestant = (connectionString: string) => Promise<Contestant>;

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
