import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { alteredStore } from '../support/altered-store.js';
import { eventually, milestone, range, task } from '../support/factories.js';
import { startManager } from '../support/start-manager.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();
const ids = (count: number) => range(count).map((i) => `t${i}`);

describe('two managers', () => {
  it('share the work: each task is done once, and both do some', async () => {
    const [one, two] = [await t.another(), await t.another()];
    const store = t.box.withPrefix('shared');
    await store.insertTasks(ids(2000).map((id) => task(id)));
    const doneBy = new Map<string, string[]>();
    for (const [name, box] of Object.entries({ one, two })) {
      const handle = async ({ id }: { id: string }) => {
        doneBy.set(id, [...(doneBy.get(id) ?? []), name]);
        await new Promise((resolve) => setImmediate(resolve));
      };
      await startManager(box.withPrefix('shared'), handle, { maxTasks: 20, channelSize: 20 });
    }
    await store.waitFor(ids(2000));
    expect([...doneBy.values()].filter((names) => names.length !== 1)).toEqual([]);
    expect(new Set([...doneBy.values()].flat())).toEqual(new Set(['one', 'two']));
  });
});

describe('a worker process that is killed', () => {
  /** The ids of the first `count` that it says it has begun. */
  async function begun(child: ChildProcess, count: number): Promise<string[]> {
    const begunIds: string[] = [];
    if (!child.stdout) throw new Error('the child has no stdout');
    for await (const line of createInterface(child.stdout)) {
      if (line.startsWith('begun ')) begunIds.push(line.slice('begun '.length));
      if (begunIds.length === count) break;
    }
    return begunIds;
  }

  it('loses nothing: what it had begun comes back when the lease is over, for a try', async () => {
    const store = t.box.withPrefix('killed');
    await store.insertTasks(ids(5).map((id) => task(id)));
    const child = spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        fileURLToPath(new URL('../support/stuck-worker.ts', import.meta.url)),
        inject('connectionString'),
        t.schema,
        'killed',
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const begunIds = await begun(child, 3);
    child.kill('SIGKILL');
    await once(child, 'exit');

    const handle = vi.fn();
    await startManager(store, handle);
    await store.waitFor(ids(5), { timeoutMs: 20_000 });
    expect(handle).toHaveBeenCalledTimes(5);
    for (const found of await store.getTasks(ids(5))) {
      const numTries = begunIds.includes(found.id) ? 2 : 1;
      expect(found).toMatchObject({ statusCode: 'completed', numTries });
    }
  });
});

describe('an idle manager', () => {
  it('is woken by new work long before its next look', async () => {
    const store = t.namespace();
    // The word of a process that was killed counts until its time is up.
    await t.pool.query('delete from sleeper');
    await startManager(store, () => {}, { waitTimeMs: 15_000 });
    await eventually(async () => {
      const { rows } = await t.pool.query('select 1 from sleeper');
      expect(rows).toHaveLength(1);
    });
    await store.insertTasks([task('a')]);
    await store.waitFor('a', { timeoutMs: 5_000 });
  });

  it('does not ask without end while what is ready cannot be had', async () => {
    const store = t.namespace();
    await store.insertTasks([
      task('locked', { action: 'never', totalDependencies: 9 }),
      task('dep', { action: 'first', toSignalAfter: ['gate'] }),
      milestone('gate', { toSignalAfter: ['locked'] }),
    ]);
    const [dep] = await store.ownTasks({ actorId: 'me', actions: ['first'], maxTasks: 1 });
    // Another session lists `locked` in an insert that it does not commit: gate cannot be settled.
    const session = await t.pool.connect();
    onTestFinished(() => session.release());
    await session.query('begin');
    await store.insertTasks([task('more', { action: 'never', toSignalAfter: ['locked'] })], {
      tx: session,
    });
    await store.returnTask('dep', dep?.token ?? '', { statusCode: 'completed' });
    expect((await store.getTask('gate'))?.statusCode).toBe('pending');

    let numCalls = 0;
    const counted = alteredStore(store, {
      ownTasks: (request) => {
        numCalls++;
        return store.ownTasks(request);
      },
    });
    await startManager(counted, () => {}, { waitTimeMs: 200 });
    const start = performance.now();
    await vi.waitUntil(() => performance.now() - start > 600, { timeout: 5_000 });
    // Longer and longer pauses, up to waitTimeMs.
    expect(numCalls).toBeLessThan(20);
    await session.query('commit');
    await store.waitFor('gate', { timeoutMs: 10_000 });
  });
});
