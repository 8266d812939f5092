import type { ContestantProcess } from './contestant-process.js';
import type { Sample } from './figure.js';
import type { Target } from './target.js';
import type { WorkloadName } from './workloads/index.js';

/** What one round is given. */
export interface Setting {
  readonly connectionString: string;
  readonly size: number;
  /** Signalbox first, then the bare floor and, if they were asked for, the peers. */
  readonly contestants: readonly ContestantProcess[];
  readonly record: (sample: Sample) => void;
}

/** One thing to measure: see the header of each file in scenarios/. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** What `size` counts. */
  readonly unit: string;
  readonly size: number;
  readonly quickSize: number;
  /** How often, instead of what `--rounds` says: for what takes minutes. */
  readonly rounds?: number;
  /** Whether a round that does not count goes first. */
  readonly warmsUp: boolean;
  /** Whether contestants are compared; if not, only signalbox is measured. */
  readonly compares?: boolean;
  /** Left out of a run that names no scenario. */
  readonly onlyByName?: boolean;
  /** The tasks, where `--profile` can take it. */
  readonly workload?: WorkloadName;
  readonly targets: readonly Target[];
  readonly round: (setting: Setting) => Promise<void>;
}
