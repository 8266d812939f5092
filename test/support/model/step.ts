import type { HeldTask } from '../../../src/index.js';
import type { TaskSpec } from './model-task.js';

/** One call of a verb, its arguments spelled out: run by the model and by the engine alike. */
export type Step =
  | { readonly verb: 'insert'; readonly tasks: readonly TaskSpec[] }
  | { readonly verb: 'return'; readonly returns: readonly ReturnSpec[] }
  | {
      readonly verb: 'extend';
      readonly held: readonly HeldTask[];
      readonly durationMs: number | null;
    }
  | { readonly verb: 'begin'; readonly held: readonly HeldTask[] }
  | { readonly verb: 'update'; readonly updates: readonly UpdateSpec[] }
  | { readonly verb: 'timers' }
  | { readonly verb: 'cancel'; readonly ids: readonly string[]; readonly downstream: boolean }
  | { readonly verb: 'signal'; readonly ids: readonly string[]; readonly failed: boolean }
  | {
      readonly verb: 'rerun';
      readonly ids: readonly string[];
      readonly downstream: boolean;
      readonly startAfterMs: number | null;
    }
  | { readonly verb: 'delete'; readonly ids: readonly string[]; readonly sparesOwned: boolean };

export interface ReturnSpec extends HeldTask {
  readonly code: 'completed' | 'aborted' | 'pending';
  readonly startAfterMs: number | null;
  readonly retryDelayMs: number | null;
  readonly isDeleted: boolean;
}

export interface UpdateSpec {
  readonly id: string;
  readonly priority: number | null;
  /** Undefined: stays. Null: at once. */
  readonly startAfterMs?: number | null;
}

/** A claim. Lane i is (queues[i], actions[i]). What it gives is the engine's to choose, within the rules. */
export interface Claim {
  readonly actorId: string;
  readonly queues: readonly string[];
  readonly actions: readonly string[];
  readonly maxTasks: number;
  readonly durationMs: number | null;
  /** Null: all. */
  readonly numBegun: number | null;
}

/** What own_tasks gave. */
export interface Claimed {
  readonly id: string;
  readonly token: string;
  readonly numTries: number;
  readonly numFailures: number;
  readonly deadlineMs: number | null;
  readonly isBegun: boolean;
}

/** What a verb answers, in a form that can be compared: a count, sorted rows, or an SQLSTATE. */
export type Answer = number | string | null | readonly (readonly (string | null)[])[];
