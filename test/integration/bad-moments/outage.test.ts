import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { ActionManager, defineActor, type Task, type TaskStore } from '../../../src/index.js';
import { gate } from '../../support/altered-store.js';
import { eventually, range, task } from '../../support/factories.js';
import { expectInvariants } from '../../support/invariants.js';
import { useTestDatabase } from '../../support/test-database.js';

const t = useTestDatabase({ ownServer: true });
const NUM_TASKS = 1_000;
const OUTAGE_MS = 10_000;
const ids = range(NUM_TASKS).map((i) => `t${i}`);

/** What the tasks of one namespace went through: they run all at once and end when they are let. */
interface Run {
  readonly store: TaskStore;
  readonly manager: ActionManager;
  /** How often each was begun. */
  readonly executions: Map<string, number>;
  /** Those whose signal fired. */
  readonly aborted: Set<string>;
  /** Lets tasks end that were begun before or are begun later. */
  readonly release: (ids: readonly string[]) => void;
}

async function begin(name: string, maxDurationMs: number): Promise<Run> {
  const store = (await t.db.connect()).withPrefix(name);
  const executions = new Map<string, number>();
  const aborted = new Set<string>();
  const gates = new Map([...ids, 'afterwards'].map((id) => [id, gate()]));
  const actor = defineActor('actor', {
    work: async ({ id }, { signal }) => {
      executions.set(id, (executions.get(id) ?? 0) + 1);
      signal.addEventListener('abort', () => aborted.add(id));
      await gates.get(id)?.opened;
    },
  });
  const options = { workers: NUM_TASKS, channelSize: NUM_TASKS, maxDurationMs, errWaitTimeMs: 500 };
  const manager = new ActionManager(store, actor, options);
  await store.insertTasks(ids.map((id) => task(id)));
  await manager.start();
  await eventually(() => expect(executions.size).toBe(NUM_TASKS));
  return {
    store,
    manager,
    executions,
    aborted,
    release(some) {
      for (const id of some) gates.get(id)?.open();
    },
  };
}

function third(i: 0 | 1 | 2): string[] {
  return ids.slice((i * NUM_TASKS) / 3, ((i + 1) * NUM_TASKS) / 3);
}

/** A third end as the server goes down, a third while it is away, a third when it is back. */
async function outageAmid(runs: readonly Run[]): Promise<void> {
  const ended = runs.map(({ store }) => store.waitFor(ids));
  for (const { release } of runs) release(third(0));
  await runs[0]?.store.waitFor('t0');
  await t.db.crashServer();
  for (const { release } of runs) release(third(1));
  await delay(OUTAGE_MS);
  await t.db.startServer();
  for (const { release } of runs) release(third(2));
  await Promise.all(ended);
}

describe('a database that is away for 10 s amid 1,000 running tasks', () => {
  let long: Run;
  let short: Run;
  let found: { readonly long: Task[]; readonly short: Task[] };

  beforeAll(async () => {
    [long, short] = [await begin('long', 60_000), await begin('short', 3_000)];
    await outageAmid([long, short]);
    found = { long: await long.store.getTasks(ids), short: await short.store.getTasks(ids) };
  }, 90_000);

  it('loses none of them', async () => {
    for (const tasks of [found.long, found.short]) {
      expect(tasks).toHaveLength(NUM_TASKS);
      expect(tasks.filter(({ statusCode }) => statusCode !== 'completed')).toEqual([]);
    }
    await expectInvariants(t.db.pool, t.db.schema);
  });

  it('has none done twice whose lease outlasts it', () => {
    expect([...long.executions].filter(([, count]) => count !== 1)).toEqual([]);
    expect(found.long.filter(({ numTries }) => numTries !== 1)).toEqual([]);
    expect(long.aborted.size).toBe(0);
  });

  it('has those done again whose lease lapsed, no others; handlers that ran then were told', async () => {
    const again = found.short.filter(({ numTries }) => numTries > 1).map(({ id }) => id);
    expect([...short.executions].filter(([, count]) => count > 1).length).toBe(again.length);
    expect(found.short.filter(({ id, numTries }) => short.executions.get(id) !== numTries)).toEqual(
      [],
    );
    const lapsed = await Promise.all(
      again.map(async (id) => (await short.store.getTask(id, { attempts: true }))?.attempts ?? []),
    );
    expect(lapsed.flat().filter(({ outcome }) => outcome !== 'lapsed')).toEqual([]);
    expect(lapsed.flat().length).toBe(again.length);
    const running = third(2);
    expect(running.filter((id) => !again.includes(id) || !short.aborted.has(id))).toEqual([]);
    expect(again).not.toContain('t0');
  });

  it('finds its managers going on by themselves', async () => {
    for (const { store, release } of [long, short]) {
      release(['afterwards']);
      await store.insertTasks([task('afterwards')]);
      expect(await store.waitFor('afterwards')).toMatchObject({ statusCode: 'completed' });
    }
    await Promise.all([long.manager.stop(), short.manager.stop()]);
  });
});
