import type { TaskInput } from 'signalbox';
import type { Span } from './span.js';

/** Tasks to be performed by an empty handler. Edges go by `toSignalAfter`. */
export type Workload = () => Iterable<TaskInput>;

/** What the parts of a run took. */
export interface Timing {
  readonly insert: Span;
  readonly perform: Span;
}

/** Called by the handler of each task, before anything else. */
export type OnTask = () => void;

/** What a contestant says of itself. */
export interface Entry {
  readonly name: string;
  /** Scenarios that it cannot do at all; left out: none. */
  readonly cannot?: readonly string[] | undefined;
  /** By scenarios: in what it is asked less than the others, to be printed beside its figures. */
  readonly differences?: Readonly<Record<string, string>> | undefined;
  /** The longest chain that it takes; left out: any. */
  readonly longestChain?: number | undefined;
}

/** One system that can take a workload from insert to the last task performed. */
export interface Contestant extends Entry {
  /** Inserts `size` tasks, performs them all, and leaves an empty database. */
  run(workload: Workload, size: number, onTask?: OnTask): Promise<Timing>;
  /**
   * Has a worker with nothing to do, inserts one task at a time into it, and resolves with the milliseconds from the
   * call of insert to the handler, `count` times. Left out: it takes no part in that.
   */
  wake?(count: number): Promise<number[]>;
  close(): Promise<void>;
}

/** Opens a contestant on a Postgres server; `undefined` when this machine lacks what it needs, having said so. */
type OpenContestant = (connectionString: string) => Promise<Contestant | undefined>;

/** Those that a module exports as `contestants`; what one needs is loaded when it is asked for. */
export type Contestants = Readonly<Record<string, () => Promise<OpenContestant>>>;
