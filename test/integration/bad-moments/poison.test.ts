import { describe, expect, it } from 'vitest';
import { startScript } from '../../support/child-script.js';
import { range, statuses, task } from '../../support/factories.js';
import { expectInvariants } from '../../support/invariants.js';
import { useTestDatabase } from '../../support/test-database.js';

const t = useTestDatabase();
const LEASE_MS = 60_000;
const MAX_WORKERS = 6;
const innocent = range(8).map((i) => `innocent${i}`);

/** A process that performs tasks one by one, and owns others ahead. */
function startWorker(prefix: string) {
  const { connectionString, schema } = t.db;
  const options = { workers: 1, maxTasks: 100, channelSize: 100, maxDurationMs: LEASE_MS };
  return startScript('child-worker.ts', [
    connectionString,
    schema,
    prefix,
    JSON.stringify(options),
  ]);
}

describe('a task that kills its worker', () => {
  it('ends aborted after its tries; those owned with it, not begun, lose none', async () => {
    const store = t.db.namespace('poison');
    await store.insertTasks([
      task('poison', { priority: 1, maxTries: 3 }),
      ...innocent.map((id) => task(id, { maxTries: 2 })),
    ]);
    let numKilled = 0;
    let numOwnedAhead = 0;
    while ((await statuses(store)).poison !== 'aborted' && numKilled < MAX_WORKERS) {
      // From these it learns how fast it is: it owns nothing ahead before.
      const warm = range(12).map((i) => task(`warm${numKilled}.${i}`, { priority: 2 }));
      await store.insertTasks(warm);
      expect(await startWorker('poison').ended).toBe('SIGKILL');
      numKilled++;
      const states = (await store.getTasks(innocent)).map(({ statusCode }) => statusCode);
      numOwnedAhead += states.filter((state) => state === 'in-progress').length;
      await t.db.clock.advance(LEASE_MS);
      const after = await store.getTasks(innocent);
      expect(after.map(({ statusCode, numTries }) => ({ statusCode, numTries }))).toEqual(
        innocent.map(() => ({ statusCode: 'pending', numTries: 0 })),
      );
    }
    expect(numOwnedAhead).toBeGreaterThan(0);
    expect(await store.getTask('poison')).toMatchObject({ statusCode: 'aborted', numTries: 3 });
    expect(numKilled).toBe(3);

    const last = startWorker('poison');
    await store.waitFor(innocent, { timeoutMs: 30_000 });
    await last.kill();
    const tasks = await store.getTasks(innocent);
    expect(tasks.map(({ statusCode, numTries }) => ({ statusCode, numTries }))).toEqual(
      innocent.map(() => ({ statusCode: 'completed', numTries: 1 })),
    );
    await expectInvariants(t.db.pool, t.db.schema);
  }, 60_000);

  it('leaves a record of each try: who had it, and that it lapsed', async () => {
    const store = t.db.namespace('recorded');
    await store.insertTasks([task('poison', { maxTries: 2 })]);
    for (let i = 0; i < 2; i++) {
      expect(await startWorker('recorded').ended).toBe('SIGKILL');
      await t.db.clock.advance(LEASE_MS);
    }
    const found = await store.getTask('poison', { attempts: true });
    expect(found?.statusCode).toBe('aborted');
    expect(found?.attempts).toMatchObject([
      { numTry: 1, actorId: 'child', outcome: 'lapsed' },
      { numTry: 2, actorId: 'child', outcome: 'lapsed' },
    ]);
  }, 60_000);
});
