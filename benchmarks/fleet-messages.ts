import type { WorkloadName } from './workloads/index.js';

/** What a member of a fleet is told. */
export type Command =
  | {
      readonly kind: 'insert';
      readonly workload: WorkloadName;
      readonly size: number;
      readonly prefix?: string;
    }
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' };

/** What it says. `returned`: so many more tasks whose return is committed. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'inserted' }
  | { readonly kind: 'returned'; readonly count: number }
  | { readonly kind: 'stopped'; readonly peakRssMb: number; readonly peakHeapMb: number }
  | { readonly kind: 'failed'; readonly error: string };

/** How it reaches its schema, as its one argument, in JSON. */
export interface MemberOptions {
  readonly connectionString: string;
  readonly schema: string;
  readonly maxConnections: number;
}
