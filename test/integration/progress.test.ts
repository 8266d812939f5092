import { describe, expect, it } from 'vitest';
import { ActionManager, defineActor } from '../../src/index.js';
import { Faults, withFaults } from '../../src/testing/index.js';
import { eventually, own, ownOne, range, task } from '../support/factories.js';
import { Gate } from '../support/run-graphs.js';
import { useTestBox } from '../support/test-box.js';

const t = useTestBox();

describe('the progress of a task', () => {
  it('is seen by whoever looks, until the task is returned', async () => {
    const store = t.namespace();
    const running = new Gate<number>();
    const actor = defineActor('copier', {
      copy: (_, { progress }) => {
        for (const done of range(1_000)) progress({ done, total: 1_000 });
        return running.pass();
      },
    });
    const faults = new Faults();
    await using manager = new ActionManager(withFaults(store, faults), actor);
    await store.insertTasks([task('a', { action: 'copy' })]);
    await manager.start();
    const progress = { done: 999, total: 1_000 };
    await eventually(async () => expect(await store.getTask('a')).toMatchObject({ progress }));
    expect(faults.numCalls('reportProgress')).toBe(1);
    const [outcome] = await store.getOutcomes(['a'], { results: false });
    expect(outcome).toMatchObject({ statusCode: 'in-progress', result: null, progress });
    for await (const one of store.listTasks()) expect(one.progress).toEqual(progress);
    running.open(7);
    const ended = await store.waitFor('a');
    expect(ended).toMatchObject({ statusCode: 'completed', result: 7 });
    expect(await store.getTask('a')).not.toHaveProperty('progress');
  });

  it('is gone with the next try', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const first = await ownOne(store);
    const report = { id: 'a', token: first.token, progress: { done: 1, message: 'half' } };
    expect(await store.reportProgress([report])).toEqual(['a']);
    await store.returnTask('a', first.token, { statusCode: 'pending' });
    expect(await store.getTask('a')).not.toHaveProperty('progress');
    const second = await ownOne(store);
    expect(await store.reportProgress([report])).toEqual([]);
    expect(await store.getTask('a')).not.toHaveProperty('progress');
    await store.cancelTasks(['a']);
    expect(await store.reportProgress([{ ...report, token: second.token }])).toEqual([]);
  });

  it('leaves a result alone that a try before has left', async () => {
    const store = t.namespace();
    await store.insertTasks([task('a')]);
    const { token } = await ownOne(store);
    const startAfter = new Date(0);
    await store.returnTask('a', token, { statusCode: 'pending', startAfter, result: { page: 3 } });
    const [held] = await own(store);
    await store.reportProgress([{ id: 'a', token: held?.token ?? '', progress: { done: 4 } }]);
    const found = await store.getTask('a');
    expect(found).toMatchObject({ result: { page: 3 }, progress: { done: 4 } });
  });

  it('is no promise: a manager that cannot write it down goes on', async () => {
    const store = t.namespace();
    const faults = new Faults();
    const running = new Gate<number>();
    const actor = defineActor('copier', {
      copy: (_, { progress }) => {
        progress({ done: 1 });
        return running.pass();
      },
    });
    faults.failNext('reportProgress', undefined, { times: Number.POSITIVE_INFINITY });
    await using manager = new ActionManager(withFaults(store, faults), actor);
    const failed = new Promise((resolve) => manager.once('error', resolve));
    await store.insertTasks([task('a', { action: 'copy' })]);
    await manager.start();
    expect(await failed).toMatchObject({ call: 'report', numTasks: 1 });
    running.open(1);
    expect(await store.waitFor('a')).toMatchObject({ result: 1 });
  });

  it('may be reported by hand, too', async () => {
    const store = t.namespace();
    await using manager = new ActionManager(store, { id: 'me', actions: ['work'] });
    await store.insertTasks([task('a')]);
    for await (const job of manager.jobs()) {
      job.progress({ done: 1, total: 2 });
      await eventually(async () =>
        expect(await store.getTask('a')).toMatchObject({ progress: { done: 1, total: 2 } }),
      );
      job.complete();
      break;
    }
    expect(await store.waitFor('a')).toMatchObject({ statusCode: 'completed' });
  });
});
