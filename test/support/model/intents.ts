import fc from 'fast-check';
import type { RunWhen } from '../../../src/index.js';

/** What a random command wants, in numbers that make sense for any state: `pick` n is the n-th of what there is. */
export type Intent =
  | { readonly kind: 'insert'; readonly nodes: readonly NodeIntent[] }
  | { readonly kind: 'return'; readonly picks: readonly ReturnIntent[] }
  | {
      readonly kind: 'extend';
      readonly picks: readonly number[];
      readonly stale: boolean;
      readonly durationMs: number | null;
    }
  | { readonly kind: 'begin'; readonly picks: readonly number[]; readonly stale: boolean }
  | { readonly kind: 'update'; readonly picks: readonly UpdateIntent[]; readonly pending: boolean }
  | { readonly kind: 'timers' }
  | { readonly kind: 'cancel'; readonly picks: readonly number[]; readonly downstream: boolean }
  | { readonly kind: 'signal'; readonly picks: readonly number[]; readonly failed: boolean }
  | {
      readonly kind: 'rerun';
      readonly picks: readonly number[];
      readonly downstream: boolean;
      readonly ended: boolean;
      readonly inMs: number | null;
    }
  | { readonly kind: 'delete'; readonly picks: readonly number[]; readonly sparesOwned: boolean };

interface ReturnIntent {
  readonly pick: number;
  readonly code: 'completed' | 'aborted' | 'pending';
  readonly inMs: number | null;
  readonly retryMs: number | null;
  readonly isDeleted: boolean;
  /** With a token that was lost. */
  readonly stale: boolean;
}

interface UpdateIntent {
  readonly pick: number;
  readonly priority: number | null;
  /** Null: at once. */
  readonly inMs: number | null | 'stays';
}

export interface NodeIntent {
  readonly action: string | null;
  readonly queue: string;
  readonly priority: number;
  readonly runWhen: RunWhen;
  /** Bit i: an edge to the i-th node after this one. */
  readonly edges: number;
  /** An edge to a task inserted before: one that waits, whichever, or one that does not exist. */
  readonly outside: { readonly pick: number; readonly of: 'waiting' | 'all' | 'none' } | null;
  readonly givenTotal: number | null;
  readonly startInMs: number | null;
  readonly maxTries: number | null;
  readonly retryDelayMs: number | null;
  readonly retryFactor: number | null;
  readonly retryMaxDelayMs: number | null;
  readonly maxDurationMs: number | null;
  readonly uniqueKey: string | null;
  readonly uniqueUntilStarted: boolean;
  readonly uniqueForMs: number | null;
}

export interface ClaimIntent {
  readonly maxTasks: number;
  /** Bit i: the i-th lane is asked for. */
  readonly lanes: number;
  readonly durationMs: number | null;
  readonly numBegun: number | null;
}

/** Mostly the first of the values. */
function mostly<const T>(usual: T, ...others: T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { arbitrary: fc.constant(usual), weight: 3 },
    { arbitrary: fc.constantFrom(usual, ...others), weight: 2 },
  );
}

const pick = fc.nat(999);
const picks = fc.array(pick, { minLength: 1, maxLength: 3 });

const node: fc.Arbitrary<NodeIntent> = fc.record({
  action: fc.constantFrom('copy', 'copy', 'move', null),
  queue: mostly('default', 'other'),
  priority: mostly(0, 1, -1),
  runWhen: mostly<RunWhen>('all_done', 'all_succeeded', 'any_failed', 'any_succeeded'),
  edges: fc.nat(31),
  outside: fc.oneof(
    { arbitrary: fc.constant(null), weight: 4 },
    { arbitrary: fc.record({ pick, of: mostly('waiting', 'all', 'none') }), weight: 1 },
  ),
  givenTotal: mostly<number | null>(null, 0, 1, 2, 3),
  startInMs: mostly<number | null>(null, -1_000, 500, 60_000),
  maxTries: mostly<number | null>(null, 1, 2, 3),
  retryDelayMs: mostly<number | null>(null, 0, 1_000),
  retryFactor: mostly<number | null>(null, 1, 2),
  retryMaxDelayMs: mostly<number | null>(null, 1_500),
  maxDurationMs: mostly<number | null>(null, 2_000),
  uniqueKey: mostly<string | null>(null, null, null, 'key 1', 'key 2'),
  uniqueUntilStarted: fc.boolean(),
  uniqueForMs: mostly<number | null>(null, 2_000, 10_000),
});

const insert = fc.record({
  kind: fc.constant('insert' as const),
  nodes: fc.array(node, { minLength: 1, maxLength: 6 }),
});
const returning = fc.record({
  kind: fc.constant('return' as const),
  picks: fc.array(
    fc.record({
      pick,
      code: mostly('completed', 'aborted', 'pending'),
      inMs: mostly<number | null>(null, -1_000, 700, 30_000),
      retryMs: mostly<number | null>(null, 0, 900),
      isDeleted: mostly(false, false, true),
      stale: mostly(false, false, false, true),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});
const extend = fc.record({
  kind: fc.constant('extend' as const),
  picks,
  stale: mostly(false, true),
  durationMs: mostly<number | null>(5_000, 100, null, 1_000_000),
});
const begin = fc.record({
  kind: fc.constant('begin' as const),
  picks,
  stale: mostly(false, false, true),
});
const update = fc.record({
  kind: fc.constant('update' as const),
  picks: fc.array(
    fc.record({
      pick,
      priority: mostly<number | null>(null, 0, 1, 2),
      inMs: mostly<number | null | 'stays'>('stays', null, -500, 600, 40_000),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  pending: mostly(true, true, false),
});
const timers = fc.record({ kind: fc.constant('timers' as const) });
const cancel = fc.record({ kind: fc.constant('cancel' as const), picks, downstream: fc.boolean() });
const signal = fc.record({ kind: fc.constant('signal' as const), picks, failed: fc.boolean() });
const rerun = fc.record({
  kind: fc.constant('rerun' as const),
  picks,
  downstream: fc.boolean(),
  ended: mostly(true, false),
  inMs: mostly<number | null>(null, 800),
});
const deleting = fc.record({
  kind: fc.constant('delete' as const),
  picks,
  sparesOwned: fc.boolean(),
});

/** One verb other than own_tasks. */
export const intents: fc.Arbitrary<Intent> = fc.oneof(
  { arbitrary: insert, weight: 5 },
  { arbitrary: returning, weight: 12 },
  { arbitrary: extend, weight: 2 },
  { arbitrary: begin, weight: 3 },
  { arbitrary: update, weight: 2 },
  { arbitrary: timers, weight: 2 },
  { arbitrary: cancel, weight: 2 },
  { arbitrary: signal, weight: 2 },
  { arbitrary: rerun, weight: 2 },
  { arbitrary: deleting, weight: 1 },
);

/** Verbs to run at once. */
export const intentsTogether: fc.Arbitrary<Intent[]> = fc.array(intents, {
  minLength: 2,
  maxLength: 4,
});

/** Claims to make at once. */
export const claimIntents: fc.Arbitrary<ClaimIntent[]> = fc
  .record({
    claims: fc.array(
      fc.record({
        maxTasks: fc.integer({ min: 1, max: 5 }),
        lanes: mostly(15, 1, 2, 6, 9),
        durationMs: mostly<number | null>(3_000, null, 300, 500_000),
        numBegun: mostly<number | null>(null, 0, 1, 2),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    isOne: mostly(true, false),
  })
  .map(({ claims, isOne }) => (isOne ? claims.slice(0, 1) : claims));

/** How far the clock is put on. */
export const ticks: fc.Arbitrary<number> = fc.constantFrom(100, 1_000, 5_000, 400_000);
