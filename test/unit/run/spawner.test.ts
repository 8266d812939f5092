import { describe, expect, it } from 'vitest';
import { graph, InvalidValueError, PermanentError, typed } from '../../../src/index.js';
import { Spawner } from '../../../src/run/spawner.js';
import { rejection } from '../../support/factories.js';

const g = graph('page', { input: typed<{ n: number }>({ required: ['n'] }) });
const a = g.task('a', { run: ({ input }) => input.n });
const page = g.outputs({ a });

function newSpawner(below = 'etl/1/x/~spawned'): Spawner {
  const spawns = { names: ['page'], graphs: () => [page] };
  return new Spawner({ spawns, below, join: 'etl/1/x', priority: 3, queue: 'slow' });
}

describe('a spawner', () => {
  it('collects whole runs, whose own tasks signal the join', async () => {
    const spawner = newSpawner();
    const input = { n: 1 };
    expect(await spawner.spawn(page, input)).toEqual({ id: 'etl/1/x/~spawned/0' });
    const tasks = await spawner.collect();
    const stamp = tasks[0]?.body;
    expect(stamp).toMatch(/^[\w-]{8}$/);
    expect(tasks).toEqual([
      {
        id: 'etl/1/x/~spawned/0/a',
        action: `page@1.${page.hash.slice(0, 8)}/a`,
        body: stamp,
        toSignalAfter: ['etl/1/x/~spawned/0'],
        maxTries: 3,
        priority: 3,
        queue: 'slow',
      },
      {
        id: 'etl/1/x/~spawned/0',
        action: `page@1.${page.hash.slice(0, 8)}/~run`,
        toSignalAfter: ['etl/1/x'],
        body: { version: 1, hash: page.hash, stamp, input },
        priority: 3,
        queue: 'slow',
      },
    ]);
  });

  it('numbers what was not refused without a gap', async () => {
    const spawner = newSpawner();
    const [first, refused, second] = await Promise.allSettled([
      spawner.spawn(page, { n: 1 }),
      spawner.spawn(page, {}),
      spawner.spawn(page, { n: 2 }),
    ]);
    expect(refused).toMatchObject({ reason: expect.any(InvalidValueError) });
    expect([first, second]).toMatchObject([
      { value: { id: 'etl/1/x/~spawned/0' } },
      { value: { id: 'etl/1/x/~spawned/1' } },
    ]);
    expect(await spawner.collect()).toHaveLength(4);
  });

  it('waits for what its handler did not wait for', async () => {
    const spawner = newSpawner();
    spawner.spawn(page, { n: 1 });
    expect(await spawner.collect()).toHaveLength(2);
    const late = rejection(spawner.spawn(page, { n: 1 }));
    expect(await late).toMatchObject({ message: expect.stringContaining('had returned') });
    expect(await spawner.collect()).toHaveLength(2);
  });

  it('refuses runs whose ids the database would not take', async () => {
    const deep = `etl/1${'/x/~spawned/0'.repeat(157)}`;
    expect(Buffer.byteLength(`${deep}/0/a`)).toBe(2_050);
    expect(await rejection(newSpawner(deep).spawn(page, { n: 1 }))).toBeInstanceOf(PermanentError);
    const fits = newSpawner(deep.slice(2));
    expect(await fits.spawn(page, { n: 1 })).toEqual({ id: `${deep.slice(2)}/0` });
  });
});
