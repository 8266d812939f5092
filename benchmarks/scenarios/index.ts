import type { Timing, Workload } from '../contestant.js';
import { diamonds, flat } from './workloads.js';

/** What is measured: a workload, and which part of the timing counts. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  readonly size: number;
  readonly workload: (size: number) => ReturnType<Workload>;
  readonly ms: (timing: Timing) => number;
}

const perform = (timing: Timing) => timing.performMs;

export const scenarios: readonly Scenario[] = [
  {
    name: 'insert',
    what: 'insert 100,000 tasks with their edges, all checks on',
    size: 100_000,
    workload: diamonds,
    ms: (timing) => timing.insertMs,
  },
  {
    name: 'flat',
    what: 'perform 100,000 independent tasks',
    size: 100_000,
    workload: flat,
    ms: perform,
  },
  {
    name: 'diamonds',
    what: 'perform 10,000 graphs 1-8-1',
    size: 100_000,
    workload: diamonds,
    ms: perform,
  },
];
