import { describe, expect, it } from 'vitest';
import { startScript } from '../../support/child-script.js';
import { range, task } from '../../support/factories.js';
import { useTestDatabase } from '../../support/test-database.js';

const t = useTestDatabase();
const HOUR_MS = 3_600_000;

/** A module that moves a process's Date. */
function skewedBy(ms: number): string {
  const source = `
    const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...args) { if (args.length) super(...args); else super(Real.now() + ${ms}); }
      static now() { return Real.now() + ${ms}; }
    };`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

describe('a worker whose clock is wrong', () => {
  it.each([
    ['an hour fast', HOUR_MS],
    ['an hour slow', -HOUR_MS],
  ])(
    'by %s does all tasks, retries included, when they are due and once',
    async (name, ms) => {
      const store = t.db.namespace(name);
      const plain = range(20).map((i) => `plain${i}`);
      const startAfter = new Date((await t.db.clock.now()).getTime() + 300);
      await store.insertTasks([
        ...plain.map((id) => task(id)),
        task('delayed', { startAfter }),
        task('flaky', { retry: { delayMs: 100 } }),
        task('too early', { startAfter: new Date(startAfter.getTime() + HOUR_MS / 2) }),
      ]);
      const { connectionString, schema } = t.db;
      const options = JSON.stringify({ maxDurationMs: 20_000 });
      const args = [connectionString, schema, name, options];
      const worker = startScript('child-worker.ts', args, [skewedBy(ms)]);
      await store.waitFor([...plain, 'delayed', 'flaky'], { timeoutMs: 30_000 });
      await worker.kill();
      const tasks = await store.getTasks([...plain, 'delayed', 'flaky']);
      expect(tasks.map(({ numTries }) => numTries)).toEqual([...plain.map(() => 1), 1, 2]);
      const delayed = tasks.find(({ id }) => id === 'delayed');
      expect(delayed?.startedAt?.getTime()).toBeGreaterThanOrEqual(startAfter.getTime());
      expect(await store.getTask('too early')).toMatchObject({
        statusCode: 'pending',
        numTries: 0,
      });
    },
    60_000,
  );
});
