import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drain, own, range, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const START_MS = Date.UTC(2030, 0, 1);

/** How many of the claims lie in the fullest window of `intervalMs`. */
function fullestWindow(
  claims: readonly { ms: number; count: number }[],
  intervalMs: number,
): number {
  const sums = claims.map(({ ms }) =>
    claims
      .filter((other) => other.ms >= ms && other.ms < ms + intervalMs)
      .reduce((sum, { count }) => sum + count, 0),
  );
  return Math.max(0, ...sums);
}

describe('a rate limit', () => {
  it('of 3 a second gives 3 at once and says when to come back', async () => {
    const store = t.namespace();
    await store.insertTasks(
      range(10).map((i) =>
        task(`t${i}`, { limitKey: 'api', rateLimit: { count: 3, intervalMs: 1_000 } }),
      ),
    );
    expect(await own(store)).toHaveLength(3);
    expect(await own(store)).toEqual([]);
    expect(await store.waitForReady({ actions: ['work'] }, { timeoutMs: 0 })).toBe(false);
    const start = performance.now();
    expect(await store.waitForReady({ actions: ['work'] }, { timeoutMs: 9_000 })).toBe(true);
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(await own(store)).toHaveLength(3);
  });

  it('of a count in an interval lets no more than that be owned in any window of that length, whenever claims are made', async () => {
    const prefix = 'property';
    const store = t.box.withPrefix(prefix);
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 10, max: 2_000 }),
        fc.array(
          fc.record({
            afterMs: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 3_000 })),
            maxTasks: fc.integer({ min: 1, max: 30 }),
          }),
          { minLength: 5, maxLength: 60 },
        ),
        async (count, intervalMs, steps) => {
          const key = `key${++run}`;
          await t.pool.query(
            'delete from task; delete from ready; delete from limit_slot; delete from keyed_lane',
          );
          await store.insertTasks(range(300).map((i) => task(`${key}/${i}`, { limitKey: key })));
          await store.setLimits(key, { rateLimit: { count, intervalMs } });
          const claims: { ms: number; count: number }[] = [];
          let ms = 0;
          for (const { afterMs, maxTasks } of steps) {
            ms += afterMs;
            const { rowCount } = await t.pool.query(
              `select id from own_tasks('me', '{default}', $1, $2, p_now => $3)`,
              [[`${prefix}.work`], maxTasks, new Date(START_MS + ms)],
            );
            claims.push({ ms, count: rowCount ?? 0 });
          }
          expect(fullestWindow(claims, intervalMs)).toBeLessThanOrEqual(count);
          // Nor is it stricter than it need be: the first claim gets all that it may.
          expect(claims[0]?.count).toBe(Math.min(count, steps[0]?.maxTasks ?? 0));
        },
      ),
      { numRuns: 40, interruptAfterTimeLimit: 40_000 },
    );
  });

  it('passes on about as many as it says, though it keeps 32 times only', async () => {
    const store = t.box.withPrefix('steady');
    await store.insertTasks(range(2_000).map((i) => task(`t${i}`, { limitKey: 'steady' })));
    await store.setLimits('steady', { rateLimit: { count: 100, intervalMs: 1_000 } });
    let owned = 0;
    for (let ms = 0; ms < 10_000; ms += 10) {
      const { rowCount } = await t.pool.query(
        `select id from own_tasks('me', '{default}', '{steady.work}', 5, p_now => $1)`,
        [new Date(START_MS + ms)],
      );
      owned += rowCount ?? 0;
    }
    expect(owned).toBeLessThanOrEqual(1_000);
    expect(owned).toBeGreaterThan(900);
    await store.setLimits('steady', {});
    await drain(store);
  });
});
