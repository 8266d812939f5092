import { expect, it, onTestFinished, vi } from 'vitest';
import {
  InvalidOptionError,
  TaskNotFoundError,
  WaitCancelledError,
  WaitTimeoutError,
} from '../../../src/errors.js';
import { outcomeOf } from './fake-tasks.js';
import { listeningHub, settle } from './hub-under-test.js';

it('waitFor resolves in the order of the ids, duplicates included', async () => {
  const { hub, tasks, listener } = await listeningHub();
  tasks.end('a');
  tasks.add('b', 'c');
  const waited = hub.waitFor(['c', 'a', 'b', 'a', 'c']);
  for (const id of ['b', 'c']) {
    await settle();
    tasks.end(id);
    listener.notify([id]);
  }
  expect((await waited).map(({ id }) => id)).toEqual(['c', 'a', 'b', 'a', 'c']);
});

it('waitFor waits for 3,000 tasks in pages of 1,000', async () => {
  const { hub, tasks } = await listeningHub();
  const ids = Array.from({ length: 3000 }, (_, i) => `t${i}`);
  for (const id of ids) tasks.end(id);
  expect(await hub.waitFor(ids)).toEqual(ids.map((id) => outcomeOf(id)));
  expect(tasks.calls.map((page) => page.length)).toEqual([1000, 1000, 1000]);
});

it('waitFor that takes too long rejects with the ids that have not ended, and forgets them', async () => {
  const { hub, tasks, listener } = await listeningHub();
  tasks.end('a');
  tasks.add('b', 'c');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const waited = expect(hub.waitFor(['c', 'a', 'b', 'b'], { timeoutMs: 20 })).rejects.toThrow(
    new WaitTimeoutError(['c', 'b'], 20),
  );
  await settle();
  vi.advanceTimersByTime(20);
  await waited;
  listener.notify('[]');
  await settle();
  expect(tasks.calls.length).toBe(1);
});

it('waitFor counts a time-out too long for a timer as none', async () => {
  const { hub, tasks, listener } = await listeningHub();
  tasks.add('a');
  const waited = hub.waitFor(['a'], { timeoutMs: Number.MAX_SAFE_INTEGER });
  await settle();
  tasks.end('a');
  listener.notify(['a']);
  expect(await waited).toEqual([outcomeOf('a')]);
});

it.each([-1, Number.NaN])('waitFor refuses a time-out of %s', async (timeoutMs) => {
  const { hub, tasks } = await listeningHub();
  await expect(hub.waitFor(['a'], { timeoutMs })).rejects.toBeInstanceOf(InvalidOptionError);
  expect(tasks.calls).toEqual([]);
});

it('waitFor that is aborted rejects with the reason of its signal as the cause', async () => {
  const { hub, tasks } = await listeningHub();
  tasks.add('a');
  const reason = new Error('no longer wanted');
  const controller = new AbortController();
  const waited = expect(hub.waitFor(['a'], { signal: controller.signal })).rejects.toMatchObject({
    code: 'WAIT_CANCELLED',
    ids: ['a'],
    cause: reason,
  });
  await settle();
  controller.abort(reason);
  await waited;
  await expect(hub.waitFor(['a'], { signal: controller.signal })).rejects.toBeInstanceOf(
    WaitCancelledError,
  );
  expect(tasks.calls).toEqual([['a']]);
});

it('waitFor may share one signal among thousands without a warning, and aborts them all', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  const { hub, tasks } = await listeningHub();
  tasks.add('a');
  const controller = new AbortController();
  const { signal } = controller;
  const waits = Array.from({ length: 2000 }, () => hub.waitFor(['a'], { signal }));
  controller.abort();
  for (const { status } of await Promise.allSettled(waits)) expect(status).toBe('rejected');
  await settle();
  expect(warnings).toEqual([]);
});

it('waitFor rejects with all ids that do not exist, whatever page they are on', async () => {
  const { hub, tasks } = await listeningHub();
  const existing = Array.from({ length: 1500 }, (_, i) => `t${i}`);
  tasks.add(...existing);
  tasks.lock('t7');
  await expect(hub.waitFor(['x', ...existing, 'y', 'z'])).rejects.toMatchObject({
    code: 'TASK_NOT_FOUND',
    ids: ['x', 'y', 'z'],
  });
});

it('waitFor rejects with all the tasks that are deleted together', async () => {
  const { hub, tasks, listener } = await listeningHub();
  tasks.add('a', 'b', 'c');
  const waited = expect(hub.waitFor(['a', 'b', 'c'])).rejects.toThrow(
    new TaskNotFoundError(['a', 'c']),
  );
  await settle();
  tasks.delete('a');
  tasks.delete('c');
  listener.notify(['a', 'c']);
  await waited;
});
