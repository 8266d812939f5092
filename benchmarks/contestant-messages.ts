import type { Entry, Timing } from './contestant.js';
import type { WorkloadName } from './workloads/index.js';

/** What the process of a contestant is told, one at a time. */
export type Command =
  | { readonly kind: 'run'; readonly workload: WorkloadName; readonly size: number }
  | { readonly kind: 'hops'; readonly length: number }
  | { readonly kind: 'wake'; readonly count: number };

/** What it answers: to the first of all, that it has been started, with its entry, or that it is not for this machine. */
export type Answer =
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'absent' }
  | { readonly kind: 'timing'; readonly timing: Timing }
  | { readonly kind: 'latencies'; readonly values: readonly number[] | null }
  | { readonly kind: 'failed'; readonly error: string };

/** Whom it opens, and where, as its one argument, in JSON. */
export interface HostOptions {
  readonly connectionString: string;
  /** The URL of a module that exports `contestants`. */
  readonly module: string;
  readonly name: string;
}
