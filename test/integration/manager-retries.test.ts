import { describe, expect, it, vi } from 'vitest';
import {
  type ActionDefinition,
  ActionManager,
  type Actor,
  defineActor,
  InvalidOptionError,
  type ManagerOptions,
} from '../../src/index.js';
import { alteredStore } from '../support/altered-store.js';
import { range, task } from '../support/factories.js';
import { startManager as start } from '../support/start-manager.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox({ maxResultBytes: 1_000 });

/** Performs `work` so that it fails each time, until the task has ended. */
async function failing(
  settings: Omit<ActionDefinition & object, 'handle'>,
  options: ManagerOptions,
  more: Parameters<typeof task>[1] = {},
) {
  const store = t.namespace();
  await store.insertTasks([task('a', more)]);
  const delays: number[] = [];
  const handle = () => {
    throw new Error('disk full');
  };
  const actor = defineActor('actor', { work: { ...settings, handle } });
  const manager = new ActionManager(store, actor, { waitTimeMs: 20, ...options });
  manager.on('retried', ({ delayMs }) => delays.push(delayMs));
  await manager.start();
  await store.waitFor('a', { timeoutMs: 20_000 });
  await manager.stop();
  return { delays, found: await store.getTask('a', { attempts: true }) };
}

describe('a task that fails', () => {
  it('without a policy of its own comes back as the manager says, so often as it says', async () => {
    const retry = { delayMs: 1, factor: 2 };
    const { delays, found } = await failing({}, { retry, maxTries: 4 });
    expect(delays).toEqual([1, 2, 4]);
    expect(found).toMatchObject({
      statusCode: 'aborted',
      status: 'gave up after 4 tries: disk full',
      numTries: 4,
    });
    expect(found?.attempts?.map(({ outcome }) => outcome)).toEqual([
      'failed',
      'failed',
      'failed',
      'aborted',
    ]);
    for (const { error } of found?.attempts ?? []) {
      expect(error).toMatch(/^Error: disk full\n +at .*manager-retries/);
    }
  });

  it('goes by its action before the manager', async () => {
    const settings = { retry: { delayMs: 3 }, maxTries: 2 };
    const { delays, found } = await failing(settings, { retry: { delayMs: 1e6 }, maxTries: 9 });
    expect([delays, found?.numTries]).toEqual([[3], 2]);
  });

  it('goes by its own policy and limit before all', async () => {
    const more = { retry: { delayMs: 1 }, maxTries: 3 };
    const { found } = await failing({ maxTries: 1 }, { retry: { delayMs: 1e6 } }, more);
    expect(found).toMatchObject({ statusCode: 'aborted', status: 'disk full', numTries: 3 });
  });

  it('waits by default: nothing is tried again at once', async () => {
    const { delays } = await failing({}, {}, { maxTries: 2 });
    expect(delays).toHaveLength(1);
    expect(delays[0]).toBeGreaterThanOrEqual(80);
    expect(delays[0]).toBeLessThanOrEqual(120);
  });

  it.each([
    ['retry', { retry: { delayMs: -1 } }],
    ['maxTries', { maxTries: 0 }],
  ])('is not left to options out of range: %s', (name, options) => {
    const make = () => new ActionManager(t.namespace(), defineActor('a'), options);
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(name);
  });
});

describe('an actor that asks for another try itself', () => {
  it('gets it at once, but no more often than allowed', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const handle = vi.fn<Actor['handle']>(async () => ({ statusCode: 'pending', status: 'later' }));
    const actor = { id: 'me', actions: ['work'], handle };
    await start(store, actor, { maxTries: 5, retry: { delayMs: 1e6 } });
    expect(await store.waitFor('a')).toMatchObject({
      statusCode: 'aborted',
      status: 'gave up after 5 tries: later',
    });
    expect(handle).toHaveBeenCalledTimes(5);
  });
});

describe('a task that was tried as often as allowed, and never returned', () => {
  it('ends aborted, unperformed', async () => {
    const store = t.namespace();
    await store.insertTasks([task('poison'), task('fine')]);
    // As if two workers had died of it.
    const owning = alteredStore(store, {
      ownTasks: async (request) => {
        const owned = await store.ownTasks(request);
        return owned.map((one) => (one.id === 'poison' ? { ...one, numTries: 3 } : one));
      },
    });
    const handle = vi.fn();
    await start(owning, handle, { maxTries: 2 });
    const [poison] = await store.waitFor(['poison', 'fine']);
    expect(poison).toMatchObject({
      statusCode: 'aborted',
      status: expect.stringMatching(/tried 2 times already.*may kill its workers/),
    });
    expect(handle).toHaveBeenCalledOnce();
  });
});

describe('a result that cannot be stored', () => {
  it('because it is too large aborts the task, with the reason', async () => {
    const store = t.namespace();
    await store.insertTasks([task('large'), task('small')]);
    const onReturned = vi.fn();
    await start(store, ({ id }) => 'x'.repeat(id === 'large' ? 1_001 : 10), { onReturned });
    const [large, small] = await store.waitFor(['large', 'small'], { timeoutMs: 10_000 });
    expect(small?.statusCode).toBe('completed');
    expect(large).toMatchObject({
      statusCode: 'aborted',
      status: expect.stringMatching(/1003 bytes.*more than 1000/),
    });
    await vi.waitFor(() => {
      expect(onReturned).toHaveBeenCalledWith(
        expect.objectContaining({ id: 'large' }),
        expect.objectContaining({ statusCode: 'aborted' }),
        expect.objectContaining({ code: 'RESULT_TOO_LARGE' }),
      );
    });
  });
});

describe('autoDelete', () => {
  it('deletes tasks of the action that have completed, and no others', async () => {
    const store = t.namespace();
    await store.insertTasks([
      ...range(5).map((i) => task(`t${i}`, { toSignalAfter: ['end'] })),
      task('bad', { maxTries: 1, toSignalAfter: ['end'] }),
      task('end', { action: 'end' }),
    ]);
    const actor = defineActor('actor', {
      work: {
        autoDelete: true,
        handle: ({ id }) => {
          if (id === 'bad') throw new Error('no');
        },
      },
      end: () => {},
    });
    await start(store, actor);
    await store.waitFor('end');
    const left: string[] = [];
    for await (const { id } of store.listTasks()) left.push(id);
    expect(left.sort()).toEqual(['bad', 'end']);
  });
});
