import type { Progress } from '../graph/context.js';

export type { Progress };

/** Any JSON value. Strings must not hold \u0000, which Postgres cannot store. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** Where a task stands. The last four are terminal: nothing but a rerun changes them. */
export type StatusCode =
  | 'pending'
  | 'in-progress'
  | 'completed'
  | 'aborted'
  | 'skipped'
  | 'cancelled';

/** Which outcomes of its dependencies a task runs after; judged once all have signalled. */
export type RunWhen = 'all_done' | 'all_succeeded' | 'any_failed' | 'any_succeeded';

/** How long a task returned as `pending`, or whose deadline lapsed, stays away before its next try. */
export interface RetryPolicy {
  /** Milliseconds before the second try. */
  delayMs: number;
  /** Each further delay is this many times the one before. Default 1. */
  factor?: number;
  /** No delay is longer than this. Default: no limit. */
  maxDelayMs?: number;
  /** Each delay is varied at random by up to this part of it, 0 to 1. Default 0. */
  jitter?: number;
}

/** At most `count` tries begin to be owned in any `intervalMs`. */
export interface Rate {
  count: number;
  intervalMs: number;
}

/** The limits of a key; one left out is none. */
export interface Limits {
  /** At most so many tasks are performed at once, over all processes. */
  limit?: number;
  rateLimit?: Rate;
}

/** A task to insert. */
export interface TaskInput<Body = Json> {
  /** Unique for ever within the prefix; 1 to 2,048 bytes in UTF-8. */
  id: string;
  /** The kind of work; `null` makes a milestone, which the engine completes by itself. */
  action: string | null;
  body?: Body;
  /** Ids of the tasks that get a signal when this one ends. Each once; a duplicate counts once. */
  toSignalAfter?: readonly string[];
  /** Signals to wait for. Left out: the number of tasks that list this one, now and in later inserts. */
  totalDependencies?: number;
  /** Default `'default'`. */
  queue?: string;
  /** -32,768 to 32,767; higher first. Default 0. */
  priority?: number;
  startAfter?: Date;
  /** Default: no limit. */
  maxTries?: number;
  retry?: RetryPolicy;
  /** How long one ownership lasts; default: what the owner asks for. */
  maxDurationMs?: number;
  /** Default `'all_done'`. */
  runWhen?: RunWhen;
  /** No two unfinished tasks have the same key. */
  uniqueKey?: string;
  /** When the key is free again: once the task has ended, or already once it is owned. Default `'finished'`. */
  uniqueUntil?: 'finished' | 'started';
  /** The key is kept at least this long from the insert, whatever becomes of the task. Default: no longer than `uniqueUntil` says. */
  uniqueForMs?: number;
  /** Counts towards the limits of this key: at most 512 bytes. */
  limitKey?: string;
  /** Sets the limit of `limitKey`, for all its tasks: at most so many are performed at once, over all processes. */
  limit?: number;
  /** Sets the rate of `limitKey`, for all its tasks. */
  rateLimit?: Rate;
  /** Shares its lane equally with the tasks of other keys, however many those are; a tenant, say. At most 512 bytes. */
  fairKey?: string;
  /** A channel to NOTIFY with `{"id","statusCode","status"}` when the task ends; at most 63 bytes. */
  notifyChannelAfter?: string;
}

/** A task under a lease. `token` proves the ownership until `deadline`. */
export interface OwnedTask<Body = Json> {
  readonly id: string;
  readonly token: string;
  readonly action: string;
  readonly body: Body;
  readonly queue: string;
  readonly priority: number;
  /** How many of the signals received carried a failure. */
  readonly numSignalledFailures: number;
  /** This try counted: 1 at the first. */
  readonly numTries: number;
  readonly maxTries: number | null;
  /** `null`: the ownership never lapses. */
  readonly deadline: Date | null;
  /** How long the ownership was given for: what to extend it by. */
  readonly maxDurationMs: number | null;
  /** False: owned ahead (`numBegun`). Say `beginTasks` before it is performed, or its try counts as never made. */
  readonly isBegun: boolean;
  /** What its `limitKey` allows its holder; null: it has none, or no limit. */
  readonly slots: LimitSlots | null;
}

/** How many tasks of a limited key a holder may perform at once; of two, the one of the higher version holds. */
export interface LimitSlots {
  readonly key: string;
  readonly count: number;
  readonly version: number;
}

/** How a task stands or ended. */
export interface TaskOutcome {
  readonly id: string;
  readonly statusCode: StatusCode;
  readonly status: string | null;
  readonly result: Json | null;
  /** Of a task in progress whose handler has said so in this try. */
  readonly progress?: Progress;
}

/** A try that failed. */
export interface Attempt {
  /** The task's `numTries` at the time. */
  readonly numTry: number;
  readonly actorId: string | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date;
  /** `failed`: returned for another try. `aborted`: given up by its actor. `lapsed`: not returned before its deadline. */
  readonly outcome: 'failed' | 'aborted' | 'lapsed';
  readonly status: string | null;
  /** The error in full, with its stack, cut at 16,384 characters. */
  readonly error: string | null;
}

/** Everything that is known of a task. */
export interface Task extends TaskOutcome {
  readonly action: string | null;
  readonly body: Json | null;
  readonly toSignalAfter: readonly string[];
  readonly totalDependencies: number;
  readonly numSignals: number;
  readonly numFailures: number;
  readonly numSkipped: number;
  readonly queue: string;
  readonly priority: number;
  readonly startAfter: Date | null;
  readonly numTries: number;
  readonly maxTries: number | null;
  readonly retry: RetryPolicy | null;
  readonly maxDurationMs: number | null;
  readonly runWhen: RunWhen;
  readonly uniqueKey: string | null;
  readonly limitKey: string | null;
  readonly fairKey: string | null;
  readonly notifyChannelAfter: string | null;
  readonly actorId: string | null;
  readonly deadline: Date | null;
  readonly createdAt: Date;
  /** When the latest try began. */
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** When its status, or what was given at insert, changed last. */
  readonly updatedAt: Date;
  /** Tries that failed, the oldest first; only when asked for. At most the last 100 are kept. */
  readonly attempts?: readonly Attempt[];
}
