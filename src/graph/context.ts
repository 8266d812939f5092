import type { Logger } from '../logger.js';
import type { Spawn } from './spawn.js';

/** What a condition or a function of the definition sees. */
export interface GraphContext<out I, out Values> {
  /** The run's. */
  readonly input: I;
  /** What the dependencies hand on, by their names in `after`. */
  readonly deps: Values;
}

/** How far a handler is, in units of its own. */
export interface Progress {
  readonly done: number;
  readonly total?: number | undefined;
  /** The first 1,000 characters are kept. */
  readonly message?: string | undefined;
}

/** What the handler of a task gets. */
export interface TaskContext<out I, out Values> extends GraphContext<I, Values> {
  /** Fires when the work is not wanted any more; `signal.reason` says why. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** 1 at the first try. */
  readonly attempt: number;
  /** Extends the lease now, and tells whether it is still held: InvalidTokenError. The worker extends it by itself too. */
  heartbeat(): Promise<void>;
  /** Says how far the work is, for those who watch the run. The latest report counts; none is promised to be kept. */
  progress(report: Progress): void;
  /** Starts a run of a graph that the node's `spawns` names; the node ends when it has. */
  readonly spawn: Spawn;
}

/** What the handler of a map gets, for each item. */
export interface MapContext<out I, out Values, out E> extends TaskContext<I, Values> {
  readonly item: E;
  /** The item's place, from 0. */
  readonly index: number;
}
