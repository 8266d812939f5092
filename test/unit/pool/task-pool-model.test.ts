import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { TaskPool } from '../../../src/pool/task-pool.js';
import { poolUnderTest } from './pool-under-test.js';
import type { VirtualClock } from './virtual-clock.js';

/** A task of any kind: it takes a while, fails a few times, is perhaps cancelled, and never begins before its time. */
interface Plan {
  readonly durationMs: number;
  readonly numFailures: number;
  readonly retries: number;
  readonly delayMs: number;
  readonly timeoutMs: number | undefined;
  readonly startInMs: number | undefined;
  readonly cancelInMs: number | undefined;
  readonly isSync: boolean;
}

const MS = fc.integer({ min: 1, max: 300 });

const PLAN: fc.Arbitrary<Plan> = fc.record({
  durationMs: MS,
  numFailures: fc.nat(3),
  retries: fc.nat(3),
  delayMs: fc.nat(200),
  timeoutMs: fc.option(MS, { nil: undefined }),
  startInMs: fc.option(fc.integer({ min: -100, max: 400 }), { nil: undefined }),
  cancelInMs: fc.option(MS, { nil: undefined, freq: 4 }),
  isSync: fc.boolean(),
});

/** What was seen while the tasks ran. */
interface Sightings {
  numRunning: number;
  mostRunning: number;
  tooEarly: number;
}

/** Runs one task and resolves with how it settled. */
function run(pool: TaskPool, clock: VirtualClock, plan: Plan, seen: Sightings): Promise<string> {
  const { retries, delayMs, timeoutMs, startInMs, cancelInMs } = plan;
  const startAfter = startInMs === undefined ? undefined : new Date(clock.now() + startInMs);
  const cancel = new AbortController();
  if (cancelInMs !== undefined) clock.after(cancelInMs, () => cancel.abort());
  const perform = async (signal: AbortSignal, attempt: number): Promise<void> => {
    seen.mostRunning = Math.max(seen.mostRunning, ++seen.numRunning);
    if (startAfter && clock.now() < startAfter.getTime()) seen.tooEarly++;
    if (!plan.isSync) {
      await new Promise<void>((resolve) => {
        clock.after(plan.durationMs, resolve);
        signal.addEventListener('abort', () => resolve());
      });
    }
    seen.numRunning--;
    if (attempt <= plan.numFailures) throw new Error(`failure ${attempt}`);
  };
  const options = { retries, backoff: { delayMs }, timeoutMs, startAfter, signal: cancel.signal };
  return pool
    .run(({ signal, attempt }) => perform(signal, attempt), options)
    .then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
}

/** How the task may settle, by its plan alone. */
function possible({ numFailures, retries, timeoutMs, cancelInMs }: Plan): string[] {
  const isFailing = numFailures > retries;
  return [
    ...(isFailing ? [] : ['done']),
    ...(isFailing || timeoutMs !== undefined ? ['POOL_TASK_FAILED'] : []),
    ...(cancelInMs === undefined ? [] : ['POOL_TASK_CANCELLED']),
  ];
}

it('any mix of tasks: no more run at once than there are workers, no more are held than there is room, each settles once', async () => {
  const pools = fc.record({
    workers: fc.integer({ min: 1, max: 4 }),
    queueSize: fc.integer({ min: 1, max: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(pools, fc.array(PLAN, { maxLength: 25 }), async (options, plans) => {
      const { pool, clock } = poolUnderTest(options);
      const seen: Sightings = { numRunning: 0, mostRunning: 0, tooEarly: 0 };
      const settled: string[] = [];
      const runs = plans.map(async (plan, i) => {
        const outcome = await run(pool, clock, plan, seen);
        expect(pool.size).toBeLessThanOrEqual(options.workers + options.queueSize);
        expect(possible(plan)).toContain(outcome);
        settled.push(`${i}`);
      });
      await clock.passUntil(Promise.all(runs));
      await clock.passUntil(pool.stop());
      expect(settled.length).toBe(plans.length);
      expect(seen.mostRunning).toBeLessThanOrEqual(options.workers);
      expect(seen.tooEarly).toBe(0);
      expect(pool).toMatchObject({ size: 0, numRunning: 0, numBlocked: 0 });
    }),
    { numRuns: 150 },
  );
});

it('any mix of tasks, stopped at any time: each settles, and stop ends', async () => {
  const moments = fc.record({
    stopInMs: fc.nat(500),
    timeoutMs: fc.option(fc.nat(500), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(moments, fc.array(PLAN, { maxLength: 25 }), async (moment, plans) => {
      const { pool, clock } = poolUnderTest({ workers: 2, queueSize: 3 });
      const seen: Sightings = { numRunning: 0, mostRunning: 0, tooEarly: 0 };
      const runs = plans.map((plan) => run(pool, clock, plan, seen));
      await clock.pass(moment.stopInMs);
      await clock.passUntil(pool.stop({ timeoutMs: moment.timeoutMs }));
      for (const [i, outcome] of (await clock.passUntil(Promise.all(runs))).entries()) {
        const plan = plans[i];
        expect(plan && [...possible(plan), 'POOL_STOPPED']).toContain(outcome);
      }
      expect(pool).toMatchObject({ size: 0, numRunning: 0, numBlocked: 0 });
    }),
    { numRuns: 150 },
  );
});
