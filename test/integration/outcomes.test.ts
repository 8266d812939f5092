import { expect, it } from 'vitest';
import { giveBack, milestone, own, task } from '../support/factories.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

it('getOutcomes tells how tasks stand, in a prefix by their own ids, and leaves out those that do not exist', async () => {
  const store = t.namespace();
  await store.insertTasks([task('a', { toSignalAfter: ['b'] }), task('b'), task('c')]);
  await giveBack(store, await own(store, { maxTasks: 1 }), { statusCode: 'completed', result: 7 });
  const outcomes = await store.getOutcomes(['a', 'b', 'nobody']);
  expect(outcomes.sort((one, other) => one.id.localeCompare(other.id))).toEqual([
    { id: 'a', statusCode: 'completed', status: null, result: 7 },
    { id: 'b', statusCode: 'pending', status: null, result: null },
  ]);
});

it('getOutcomes without results leaves out those of completed tasks only', async () => {
  const store = t.namespace();
  await store.insertTasks([task('a'), task('b')]);
  const [a, b] = await own(store);
  if (!a || !b) throw new Error('two tasks are ready');
  await giveBack(store, [a], { statusCode: 'completed', result: 7 });
  await giveBack(store, [b], { statusCode: 'skipped', status: 'why', result: { cause: 'x' } });
  const outcomes = await store.getOutcomes([a.id, b.id], { results: false });
  expect(new Set(outcomes)).toEqual(
    new Set([
      { id: a.id, statusCode: 'completed', status: null, result: null },
      { id: b.id, statusCode: 'skipped', status: 'why', result: { cause: 'x' } },
    ]),
  );
});

it('getBodies gives the bodies of tasks that exist', async () => {
  const store = t.namespace();
  await store.insertTasks([task('a', { body: { n: 1 } }), task('b')]);
  const bodies = await store.getBodies(['a', 'b', 'nobody']);
  expect(new Set(bodies)).toEqual(
    new Set([
      { id: 'a', body: { n: 1 } },
      { id: 'b', body: null },
    ]),
  );
});

it('what is larger than maxBytes is left out, with its task', async () => {
  const store = t.namespace();
  const text = Array.from({ length: 500 }, (_, i) => i).join(' ');
  await store.insertTasks([task('a', { body: text }), task('b', { body: 'short' }), task('c')]);
  const owned = await own(store);
  for (const one of owned) {
    await giveBack(store, [one], { statusCode: 'completed', result: one.body });
  }
  const ids = ['a', 'b', 'c'];
  const small = await store.getOutcomes(ids, { maxBytes: 500 });
  expect(small.map(({ id }) => id).sort()).toEqual(['b', 'c']);
  const bodies = await store.getBodies(ids, { maxBytes: 500 });
  expect(bodies.map(({ id }) => id).sort()).toEqual(['b', 'c']);
  expect(await store.getOutcomes(ids, { maxBytes: 5_000 })).toHaveLength(3);
});

it('a signal brings a result to the milestone that it ends, once', async () => {
  const store = t.namespace();
  await store.insertTasks([milestone('event', { totalDependencies: 1 })]);
  expect(await store.signalTasks(['event'], { result: { by: 'Ann' } })).toBe(1);
  expect(await store.signalTasks(['event'], { result: { by: 'Bob' } })).toBe(0);
  expect(await store.waitFor('event')).toMatchObject({
    statusCode: 'completed',
    result: { by: 'Ann' },
  });
});

it('countTasks counts a range by queue, action and status', async () => {
  const store = t.namespace();
  await store.insertTasks([task('r/a'), task('r/b'), task('r/c', { action: 'x' }), task('s/a')]);
  await giveBack(store, await own(store, { maxTasks: 1 }));
  const counts = await store.countTasks({ idPrefix: 'r/' });
  const common = { queue: 'default' };
  expect(new Set(counts)).toEqual(
    new Set([
      { ...common, action: 'work', statusCode: 'completed', count: 1 },
      { ...common, action: 'work', statusCode: 'pending', count: 1 },
      { ...common, action: 'x', statusCode: 'pending', count: 1 },
    ]),
  );
});
